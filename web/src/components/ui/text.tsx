import { Check, Copy } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { copyText } from '@/lib/clipboard';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { useNow } from '@/lib/hooks';

import { IconButton } from './button';
import { toastError } from './toast';

/** How long ago; the exact time on hover. */
export function RelativeTime({
  at,
  none = format.NONE,
  className,
}: {
  at: string | number | null | undefined;
  none?: string;
  className?: string;
}) {
  const now = useNow();
  if (at == null) return <span className={cn('text-faint', className)}>{none}</span>;
  return (
    <time
      dateTime={new Date(at).toISOString()}
      title={format.exactTime(at)}
      className={cn('whitespace-nowrap tabular', className)}
    >
      {format.relativeTime(at, now)}
    </time>
  );
}

type Value = { value: number | null | undefined; className?: string };

/** A count, with its exact value where it is shortened. */
export function Num({ value, short = false, className }: Value & { short?: boolean }) {
  const exact = format.number(value);
  return (
    <span className={cn('tabular', className)} title={short ? exact : undefined}>
      {short ? format.short(value) : exact}
    </span>
  );
}

export function Points({ value, className }: Value) {
  return (
    <span
      className={cn('tabular', className)}
      title={value == null ? undefined : `${value} points`}
    >
      {format.points(value)}
    </span>
  );
}

/** A share of 1. */
export function Percent({ value, className }: Value) {
  return <span className={cn('tabular', className)}>{format.percent(value)}</span>;
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line-strong bg-subtle px-1 font-sans text-2xs text-muted">
      {children}
    </kbd>
  );
}

/** Puts a text on the clipboard, and says so. */
export function CopyButton({
  text,
  label = 'Copy',
  className,
}: {
  text: string;
  label?: string;
  className?: string;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await copyText(text))) {
      toastError('The browser doesn’t let this page copy; select the text instead');
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <>
      <IconButton
        icon={copied ? Check : Copy}
        label={copied ? 'Copied' : label}
        size="sm"
        className={className}
        onClick={() => void copy()}
      />
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </>
  );
}

/** Text for machines, with a button to copy it. */
export function CodeBlock({
  code,
  label = 'Code',
  copy = true,
  className,
}: {
  code: string;
  label?: string;
  copy?: boolean;
  className?: string;
}) {
  return (
    <div className={cn('flex min-w-0 rounded-lg border border-line bg-subtle', className)}>
      <pre
        aria-label={label}
        role="region"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrolls by keyboard
        tabIndex={0}
        className="max-h-96 min-w-0 flex-1 overflow-auto p-3 font-mono text-xs leading-5"
      >
        <code>{code}</code>
      </pre>
      {copy && (
        <CopyButton text={code} label={`Copy ${label.toLowerCase()}`} className="m-1.5 shrink-0" />
      )}
    </div>
  );
}
