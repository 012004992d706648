import { ArrowDownRight, ArrowUpRight, Minus, Search, X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { useTitle } from '@/lib/hooks';

import { Button } from './button';

type PageHeaderProps = {
  title: string;
  /** A word about what this is, where the title is not enough. */
  description?: ReactNode;
  /** What can be done here; the main one last. */
  actions?: ReactNode;
  /** Beside the title, such as a count. */
  aside?: ReactNode;
};

export function PageHeader({ title, description, actions, aside }: PageHeaderProps) {
  useTitle(title);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-5 pb-4 md:px-6">
      <div className="min-w-0 flex-1 basis-60">
        <div className="flex items-baseline gap-2">
          <h1 className="truncate text-xl font-semibold tracking-tight" title={title}>
            {title}
          </h1>
          {aside != null && <span className="text-sm text-muted">{aside}</span>}
        </div>
        {description != null && (
          <p className="mt-0.5 max-w-prose text-sm text-muted">{description}</p>
        )}
      </div>
      {actions != null && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

type CardProps = {
  title?: ReactNode;
  /** At the right end of the title's line. */
  aside?: ReactNode;
  className?: string;
  /** Without the space around, for tables and lists. */
  flush?: boolean;
  children: ReactNode;
};

export function Card({ title, aside, className, flush = false, children }: CardProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={title == null ? undefined : id}
      className={cn(
        'flex min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-surface',
        className,
      )}
    >
      {title != null && (
        <div className="flex min-h-11 items-center justify-between gap-3 px-4 pt-2 pb-1">
          <h2 id={id} className="truncate text-sm font-semibold">
            {title}
          </h2>
          {aside}
        </div>
      )}
      <div
        className={cn('min-h-0 min-w-0 flex-1', !flush && (title == null ? 'p-4' : 'px-4 pb-4'))}
      >
        {children}
      </div>
    </section>
  );
}

type StatProps = {
  label: string;
  value: ReactNode;
  /** The exact value, where the shown one is shortened. */
  title?: string;
  /** The share by which it has changed; null says nothing. */
  change?: number | null;
  /** Whether more is better (default), worse, or neither. */
  better?: 'more' | 'less' | 'neither';
  /** Since when: "than yesterday". */
  than?: string;
  className?: string;
};

/** One figure, and how it has changed. */
export function Stat({ label, value, title, change, better = 'more', than, className }: StatProps) {
  return (
    <div className={cn('flex min-w-0 flex-col gap-1', className)}>
      <span className="truncate text-xs text-muted" title={label}>
        {label}
      </span>
      <span className="truncate text-2xl font-semibold tracking-tight tabular" title={title}>
        {value}
      </span>
      {change !== undefined && <Change share={change} better={better} than={than} />}
    </div>
  );
}

export function Change({
  share,
  better = 'more',
  than,
}: {
  share: number | null;
  better?: 'more' | 'less' | 'neither';
  than?: string;
}) {
  if (share === null) {
    // As high as the others, so that figures without a past stand in line with them.
    return (
      <span aria-hidden className="text-xs">
        &nbsp;
      </span>
    );
  }
  const still = Math.abs(share) < 0.0005;
  const good = better === 'neither' || still ? null : share > 0 === (better === 'more');
  const Icon = still ? Minus : share > 0 ? ArrowUpRight : ArrowDownRight;
  return (
    <span className="flex min-w-0 items-center gap-1 text-xs text-muted">
      <span
        className={cn(
          'inline-flex items-center gap-0.5 font-medium tabular',
          good === true && 'text-good-text',
          good === false && 'text-danger-text',
        )}
      >
        <Icon aria-hidden className="size-3.5" />
        {still ? 'no change' : format.signedPercent(share)}
      </span>
      {than !== undefined && <span className="truncate">{than}</span>}
    </span>
  );
}

/** The line of filters above a list. */
export function FilterBar({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <div
      role="search"
      className={cn('flex flex-wrap items-center gap-2 px-4 pb-3 md:px-6', className)}
    >
      {children}
    </div>
  );
}

type SearchInputProps = {
  label: string;
  /** What stands in the address. */
  value: string;
  /** Called once the person has stopped typing. */
  onChange: (value: string) => void;
  placeholder?: string;
  className?: string;
};

/** A search that waits until one has stopped typing. */
export function SearchInput({ label, value, onChange, placeholder, className }: SearchInputProps) {
  const [draft, setDraft] = useState(value);
  const [shown, setShown] = useState(value);
  // Back and forward change the address under what was typed.
  if (shown !== value) {
    setShown(value);
    setDraft(value);
  }
  // Whoever draws the page anew, as live updates do, must not begin the pause again.
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => latest.current(draft), 300);
    return () => clearTimeout(timer);
  }, [draft, value]);
  return (
    <span className={cn('relative inline-flex w-64 max-w-full max-md:w-full', className)}>
      <Search
        aria-hidden
        className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted"
      />
      <input
        type="search"
        aria-label={label}
        value={draft}
        placeholder={placeholder}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onChange(draft);
          if (event.key === 'Escape' && draft !== '') {
            event.stopPropagation();
            setDraft('');
            onChange('');
          }
        }}
        className="h-8 w-full rounded-md border border-control/60 bg-surface pr-8 pl-8 text-sm hover:border-control focus-visible:-outline-offset-1 max-md:text-lg [&::-webkit-search-cancel-button]:hidden"
      />
      {draft !== '' && (
        <button
          type="button"
          aria-label="Clear the search"
          className="absolute top-1 right-1 rounded-md p-1 text-muted hover:text-ink"
          onClick={() => {
            setDraft('');
            onChange('');
          }}
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </span>
  );
}

/** A filter that is set, and how to take it off. */
export function FilterChip({
  label,
  value,
  onClear,
}: {
  label: string;
  value: ReactNode;
  onClear: () => void;
}) {
  return (
    <span className="inline-flex h-8 max-w-full items-center rounded-md border border-line-strong bg-surface pl-2.5 text-sm">
      <span className="mr-1.5 text-muted">{label}</span>
      <span className="truncate font-medium">{value}</span>
      <button
        type="button"
        aria-label={`Take off the filter ${label}`}
        className="ml-1 h-full rounded-md px-1.5 text-muted hover:text-ink"
        onClick={onClear}
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </span>
  );
}

/** How many are shown, and a button for more. */
export function LoadMore({
  shown,
  total,
  capped = false,
  more,
  busy,
  onMore,
  what,
}: {
  shown: number;
  total?: number | null;
  capped?: boolean;
  more: boolean;
  busy: boolean;
  onMore: () => void;
  what: string;
}) {
  const of = total == null ? '' : ` of ${format.number(total)}${capped ? '+' : ''}`;
  return (
    <div className="flex items-center justify-between gap-4 px-4 py-2.5 text-xs text-muted md:px-6">
      <span className="tabular">
        {format.number(shown)}
        {of} {what}
      </span>
      {more && (
        <Button size="sm" busy={busy} onClick={onMore}>
          Load more
        </Button>
      )}
    </div>
  );
}
