import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useEffect } from 'react';

import { messageOf } from '@/api/errors';
import { cn } from '@/lib/cn';
import { store, useStore } from '@/lib/store';

type Toast = {
  id: number;
  title: string;
  tone: 'good' | 'danger';
  action?: { label: string; run: () => void };
};

const toasts = store<Toast[]>([]);
let last = 0;

function add(toast: Omit<Toast, 'id'>): void {
  last += 1;
  const made = { ...toast, id: last };
  toasts.set((now) => [...now.slice(-2), made]);
}

function drop(id: number): void {
  toasts.set((now) => now.filter((toast) => toast.id !== id));
}

/** Only for what the person did just now: `toast('Owner changed', { label: 'Undo', run })`. */
export function toast(title: string, action?: Toast['action']): void {
  add({ title, tone: 'good', ...(action !== undefined && { action }) });
}

/** That something he did has failed, and why. */
export function toastError(error: unknown): void {
  add({ title: typeof error === 'string' ? error : messageOf(error), tone: 'danger' });
}

/** Where toasts appear; once, in the shell. */
export function Toaster() {
  const shown = useStore(toasts);
  return (
    <div
      role="region"
      aria-label="Messages"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2 md:left-auto md:w-90"
    >
      {shown.map((one) => (
        <ToastCard key={one.id} toast={one} />
      ))}
    </div>
  );
}

function ToastCard({ toast: shown }: { toast: Toast }) {
  const { id, tone, action } = shown;
  useEffect(() => {
    const timer = setTimeout(() => drop(id), action || tone === 'danger' ? 10_000 : 5_000);
    return () => clearTimeout(timer);
  }, [id, tone, action]);
  const Icon = tone === 'good' ? CircleCheck : CircleAlert;
  return (
    <div
      role={tone === 'danger' ? 'alert' : 'status'}
      className="pointer-events-auto flex w-full animate-rise items-start gap-2 rounded-lg border border-line bg-surface py-2 pr-1.5 pl-3 text-sm shadow-pop"
    >
      <Icon
        aria-hidden
        className={cn(
          'mt-1 size-4 shrink-0',
          tone === 'good' ? 'text-good-text' : 'text-danger-text',
        )}
      />
      <span className="min-w-0 flex-1 py-0.5 break-words">{shown.title}</span>
      {action && (
        <button
          type="button"
          className="rounded-md px-2 py-0.5 font-medium text-accent-text hover:bg-hover"
          onClick={() => {
            drop(id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button
        type="button"
        aria-label="Dismiss"
        className="rounded-md p-1 text-muted hover:bg-hover hover:text-ink"
        onClick={() => drop(id)}
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  );
}
