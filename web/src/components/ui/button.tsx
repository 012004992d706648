import { LoaderCircle, type LucideIcon } from 'lucide-react';
import { Slot } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';

import { cn } from '@/lib/cn';

import { Tooltip } from './tooltip';

const BASE =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap ' +
  'transition-colors duration-100 select-none disabled:pointer-events-none disabled:opacity-50 ' +
  'aria-disabled:pointer-events-none aria-disabled:opacity-50';

const KINDS = {
  primary: 'bg-accent text-accent-ink hover:bg-accent-hover',
  secondary: 'border border-line-strong bg-surface text-ink hover:bg-hover active:bg-pressed',
  ghost: 'text-muted hover:bg-hover hover:text-ink active:bg-pressed',
  danger: 'bg-danger text-accent-ink hover:bg-danger-hover',
} as const;

const SIZES = {
  sm: 'h-7 px-2 text-xs',
  md: 'h-8 px-3 text-sm',
  lg: 'h-10 px-4 text-base',
} as const;

export type ButtonProps = ComponentProps<'button'> & {
  kind?: keyof typeof KINDS;
  size?: keyof typeof SIZES;
  icon?: LucideIcon;
  /** Works on it: shows so, and can't be pressed again. */
  busy?: boolean;
  /** Lends its looks to its only child, as to a link. */
  asChild?: boolean;
};

export function Button({
  kind = 'secondary',
  size = 'md',
  icon: Icon,
  busy = false,
  asChild = false,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  const looks = cn(BASE, KINDS[kind], SIZES[size], className);
  if (asChild) {
    return (
      <Slot.Root className={looks} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      className={looks}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? (
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
      ) : (
        Icon && <Icon aria-hidden className="size-4" />
      )}
      {children}
    </button>
  );
}

export type IconButtonProps = Omit<ButtonProps, 'icon' | 'children' | 'asChild'> & {
  icon: LucideIcon;
  /** What it does; also its tooltip. */
  label: string;
  /** Something small over the icon, such as a count. */
  children?: ReactNode;
};

export function IconButton({
  icon: Icon,
  label,
  kind = 'ghost',
  size = 'md',
  busy = false,
  className,
  children,
  disabled,
  ...rest
}: IconButtonProps) {
  const square = { sm: 'size-7', md: 'size-8', lg: 'size-10' }[size];
  return (
    <Tooltip content={label}>
      <button
        type="button"
        aria-label={label}
        disabled={disabled === true || busy}
        className={cn(BASE, KINDS[kind], 'relative p-0', square, className)}
        {...rest}
      >
        {busy ? (
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
        ) : (
          <Icon aria-hidden className="size-4" />
        )}
        {children}
      </button>
    </Tooltip>
  );
}
