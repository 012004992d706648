import { CircleAlert, type LucideIcon, RefreshCw, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';

import { reconnect, useLiveState } from '@/api/live';
import { isApiError, messageOf } from '@/api/errors';
import { cn } from '@/lib/cn';
import { time } from '@/lib/format';
import { useNow } from '@/lib/hooks';

import { Button } from './button';

/** Where something will stand; give it the size of that. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <span aria-hidden className={cn('block animate-breathe rounded-md bg-pressed', className)} />
  );
}

/** Says once that something is loading, around skeletons. */
export function Loading({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div aria-busy="true">
      <span role="status" className="sr-only">
        {label}
      </span>
      {children}
    </div>
  );
}

type EmptyProps = {
  icon?: LucideIcon;
  title: string;
  /** h1 where it is all that a page says. */
  titleAs?: 'h1' | 'p';
  /** What would stand here. */
  children?: ReactNode;
  /** The one thing to do next. */
  action?: ReactNode;
  className?: string;
};

export function EmptyState({
  icon: Icon,
  title,
  titleAs: Title = 'p',
  children,
  action,
  className,
}: EmptyProps) {
  return (
    <div className={cn('flex flex-col items-center px-6 py-12 text-center', className)}>
      {Icon && (
        <span className="mb-4 flex size-10 items-center justify-center rounded-lg border border-line bg-subtle">
          <Icon aria-hidden className="size-5 text-muted" />
        </span>
      )}
      <Title className="font-semibold">{title}</Title>
      {children != null && <div className="mt-1 max-w-sm text-sm text-muted">{children}</div>}
      {action != null && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

type ErrorProps = {
  error: unknown;
  /** What could not be shown or done: "The leads can’t be shown". */
  title?: string;
  onRetry?: () => void;
  className?: string;
};

export function ErrorState({
  error,
  title = 'This can’t be shown right now',
  onRetry,
  className,
}: ErrorProps) {
  const requestId = isApiError(error) ? error.requestId : null;
  return (
    <div
      role="alert"
      className={cn('flex flex-col items-center px-6 py-12 text-center', className)}
    >
      <span className="mb-4 flex size-10 items-center justify-center rounded-lg bg-danger-soft">
        <CircleAlert aria-hidden className="size-5 text-danger-text" />
      </span>
      <p className="font-semibold">{title}</p>
      <p className="mt-1 max-w-md text-sm break-words text-muted">{messageOf(error)}</p>
      {requestId !== null && (
        <p className="mt-2 font-mono text-xs text-muted select-all">{requestId}</p>
      )}
      {onRetry && (
        <Button icon={RefreshCw} className="mt-4" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A message within a page or a form, that stays. */
export function Notice({
  tone = 'neutral',
  icon: Icon,
  children,
  action,
  className,
}: {
  tone?: 'neutral' | 'warn' | 'danger' | 'good' | 'accent';
  icon?: LucideIcon;
  children: ReactNode;
  action?: ReactNode;
  className?: string;
}) {
  const looks = {
    neutral: 'bg-subtle text-ink border-line',
    accent: 'bg-accent-soft text-accent-text border-transparent',
    warn: 'bg-warn-soft text-warn-text border-transparent',
    danger: 'bg-danger-soft text-danger-text border-transparent',
    good: 'bg-good-soft text-good-text border-transparent',
  }[tone];
  return (
    <div
      role={tone === 'danger' ? 'alert' : 'status'}
      className={cn('flex items-start gap-2 rounded-lg border px-3 py-2 text-sm', looks, className)}
    >
      {Icon && <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />}
      <div className="min-w-0 flex-1 break-words">{children}</div>
      {action}
    </div>
  );
}

/** How long, in milliseconds, the connection may be away before it is worth a word. */
const PATIENCE = 4_000;

/** Says quietly that what is shown may be old, while the live connection is lost. */
export function StaleBar({ className }: { className?: string }) {
  const live = useLiveState();
  const now = useNow();
  if (live.status !== 'down' || now - live.since < PATIENCE) return null;
  return (
    <div
      role="status"
      className={cn(
        'flex min-h-8 items-center gap-2 border-b border-line bg-warn-soft px-4 py-1 text-xs text-warn-text',
        className,
      )}
    >
      <WifiOff aria-hidden className="size-3.5 shrink-0" />
      <span className="min-w-0 flex-1">
        No live connection since {time(live.since)}; figures are renewed every 30 seconds.
      </span>
      <button
        type="button"
        className="shrink-0 font-medium underline underline-offset-2"
        onClick={reconnect}
      >
        Reconnect
      </button>
    </div>
  );
}
