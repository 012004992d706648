import { Check, ChevronDown, CircleAlert, Minus } from 'lucide-react';
import {
  Checkbox as CheckboxPrimitive,
  RadioGroup as RadioPrimitive,
  Switch as SwitchPrimitive,
} from 'radix-ui';
import {
  type ComponentProps,
  createContext,
  type ReactNode,
  useContext,
  useId,
  useMemo,
} from 'react';

import { cn } from '@/lib/cn';

// ── Field ────────────────────────────────────────────────────────────────────────────

type FieldState = { id: string; describedBy: string | undefined; invalid: boolean };
const FieldContext = createContext<FieldState | null>(null);

type FieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  /** What is wrong with it; stands right below, and is read out with the field. */
  error?: string | null | undefined;
  /** The label is only for those who hear the page. */
  hideLabel?: boolean;
  /** Something at the right end of the label's line. */
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
};

/** Label, hint and error of the one control inside. */
export function Field({ label, hint, error, hideLabel, aside, className, children }: FieldProps) {
  const id = useId();
  const invalid = error != null && error !== '';
  const describedBy =
    [hint == null ? null : `${id}-hint`, invalid ? `${id}-error` : null]
      .filter((part) => part !== null)
      .join(' ') || undefined;
  const state = useMemo(() => ({ id, describedBy, invalid }), [id, describedBy, invalid]);
  return (
    <FieldContext value={state}>
      <div className={cn('flex min-w-0 flex-col gap-1.5', className)}>
        <div className={cn('flex items-baseline justify-between gap-2', hideLabel && 'sr-only')}>
          <label htmlFor={id} className="text-sm font-medium">
            {label}
          </label>
          {aside}
        </div>
        {children}
        {hint != null && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
        {invalid && (
          <p id={`${id}-error`} role="alert" className="flex gap-1 text-xs text-danger-text">
            <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
            <span className="min-w-0 break-words">{error}</span>
          </p>
        )}
      </div>
    </FieldContext>
  );
}

function useField(): { id?: string; 'aria-describedby'?: string; 'aria-invalid'?: true } {
  const field = useContext(FieldContext);
  if (field === null) return {};
  return {
    id: field.id,
    ...(field.describedBy !== undefined && { 'aria-describedby': field.describedBy }),
    ...(field.invalid && { 'aria-invalid': true as const }),
  };
}

// ── Controls ─────────────────────────────────────────────────────────────────────────

const CONTROL =
  'w-full min-w-0 rounded-md border border-control/60 bg-surface text-ink transition-colors ' +
  'hover:border-control focus-visible:border-accent focus-visible:outline-2 focus-visible:-outline-offset-1 ' +
  'disabled:cursor-not-allowed disabled:bg-subtle disabled:text-muted aria-invalid:border-danger ' +
  'max-md:text-lg';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return (
    <input {...useField()} {...rest} className={cn(CONTROL, 'h-8 px-2.5 text-sm', className)} />
  );
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return (
    <textarea
      {...useField()}
      rows={3}
      {...rest}
      className={cn(CONTROL, 'px-2.5 py-1.5 text-sm', className)}
    />
  );
}

/** The browser's own, which every keyboard and phone knows. */
export function Select({ className, children, ...rest }: ComponentProps<'select'>) {
  return (
    <span className={cn('relative inline-flex min-w-0', className)}>
      <select
        {...useField()}
        {...rest}
        className={cn(CONTROL, 'h-8 appearance-none truncate pr-8 pl-2.5 text-sm')}
      >
        {children}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-2 right-2.5 size-4 text-muted"
      />
    </span>
  );
}

type Checkable = {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  className?: string;
};

type CheckboxProps = Omit<Checkable, 'checked'> & {
  checked: boolean | 'indeterminate';
  label: ReactNode;
  hint?: ReactNode;
  hideLabel?: boolean;
};

export function Checkbox({
  checked,
  onChange,
  disabled,
  label,
  hint,
  hideLabel,
  className,
}: CheckboxProps) {
  const id = useId();
  return (
    <div className={cn('flex items-start gap-2', className)}>
      <CheckboxPrimitive.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={(next) => onChange(next === true)}
        aria-describedby={hint == null ? undefined : `${id}-hint`}
        className="my-0.5 flex size-4 shrink-0 items-center justify-center rounded-sm border border-control bg-surface text-accent-ink disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:border-accent data-[state=indeterminate]:bg-accent"
      >
        <CheckboxPrimitive.Indicator>
          {checked === 'indeterminate' ? (
            <Minus aria-hidden className="size-3" strokeWidth={3} />
          ) : (
            <Check aria-hidden className="size-3" strokeWidth={3} />
          )}
        </CheckboxPrimitive.Indicator>
      </CheckboxPrimitive.Root>
      <div className={cn('min-w-0', hideLabel && 'sr-only')}>
        <label htmlFor={id} className={cn('text-sm', disabled && 'text-muted')}>
          {label}
        </label>
        {hint != null && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

type SwitchProps = Checkable & { label: string; hideLabel?: boolean };

/** On or off, at once. What waits for a button is a checkbox. */
export function Switch({ checked, onChange, disabled, label, hideLabel, className }: SwitchProps) {
  const id = useId();
  return (
    <span className={cn('inline-flex items-center gap-2', className)}>
      <SwitchPrimitive.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        aria-label={hideLabel ? label : undefined}
        className="inline-flex h-5 w-8 shrink-0 items-center rounded-full bg-control p-0.5 transition-colors disabled:opacity-50 data-[state=checked]:bg-accent"
      >
        <SwitchPrimitive.Thumb className="size-4 rounded-full bg-white transition-transform data-[state=checked]:translate-x-3" />
      </SwitchPrimitive.Root>
      {!hideLabel && (
        <label htmlFor={id} className={cn('text-sm', disabled && 'text-muted')}>
          {label}
        </label>
      )}
    </span>
  );
}

export type Choice<T extends string> = {
  value: T;
  label: ReactNode;
  hint?: ReactNode;
  disabled?: boolean;
};

type RadioGroupProps<T extends string> = {
  label: string;
  value: T;
  onChange: (value: T) => void;
  choices: readonly Choice<T>[];
  className?: string;
};

export function RadioGroup<T extends string>({
  label,
  value,
  onChange,
  choices,
  className,
}: RadioGroupProps<T>) {
  const id = useId();
  return (
    <RadioPrimitive.Root
      aria-label={label}
      value={value}
      onValueChange={(next) => onChange(next as T)}
      className={cn('flex flex-col gap-2', className)}
    >
      {choices.map((choice) => (
        <div key={choice.value} className="flex items-start gap-2">
          <RadioPrimitive.Item
            id={`${id}-${choice.value}`}
            value={choice.value}
            disabled={choice.disabled}
            aria-describedby={choice.hint == null ? undefined : `${id}-${choice.value}-hint`}
            className="my-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-control bg-surface disabled:opacity-50 data-[state=checked]:border-accent"
          >
            <RadioPrimitive.Indicator className="size-2 rounded-full bg-accent" />
          </RadioPrimitive.Item>
          <div className="min-w-0">
            <label htmlFor={`${id}-${choice.value}`} className="text-sm">
              {choice.label}
            </label>
            {choice.hint != null && (
              <p id={`${id}-${choice.value}-hint`} className="text-xs text-muted">
                {choice.hint}
              </p>
            )}
          </div>
        </div>
      ))}
    </RadioPrimitive.Root>
  );
}

type SegmentsProps<T extends string> = {
  label: string;
  value: T;
  onChange: (value: T) => void;
  choices: readonly { value: T; label: ReactNode }[];
  className?: string;
};

/** A few choices side by side, of which one holds: periods, kinds of view. */
export function Segments<T extends string>({
  label,
  value,
  onChange,
  choices,
  className,
}: SegmentsProps<T>) {
  return (
    <RadioPrimitive.Root
      aria-label={label}
      value={value}
      orientation="horizontal"
      onValueChange={(next) => onChange(next as T)}
      className={cn('inline-flex rounded-md border border-line bg-subtle p-0.5', className)}
    >
      {choices.map((choice) => (
        <RadioPrimitive.Item
          key={choice.value}
          value={choice.value}
          className="h-6 rounded-sm px-2.5 text-xs font-medium text-muted hover:text-ink data-[state=checked]:bg-surface data-[state=checked]:text-ink data-[state=checked]:ring-1 data-[state=checked]:ring-line-strong"
        >
          {choice.label}
        </RadioPrimitive.Item>
      ))}
    </RadioPrimitive.Root>
  );
}
