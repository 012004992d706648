import { Check, type LucideIcon } from 'lucide-react';
import { DropdownMenu as Primitive, Popover as PopoverPrimitive } from 'radix-ui';
import type { ReactNode } from 'react';

import { cn } from '@/lib/cn';

const SURFACE =
  'z-50 border border-line bg-surface text-ink rounded-lg shadow-pop animate-in focus:outline-none';
const ITEM =
  'flex min-h-8 cursor-default items-center gap-2 rounded-md px-2 py-1 text-sm select-none ' +
  'data-[highlighted]:bg-hover data-[highlighted]:outline-none data-[disabled]:opacity-50 max-md:min-h-10';

type MenuProps = {
  /** The button that opens it. */
  trigger: ReactNode;
  align?: 'start' | 'center' | 'end';
  side?: 'top' | 'right' | 'bottom' | 'left';
  className?: string;
  children: ReactNode;
};

export function DropdownMenu({ trigger, align = 'end', side, className, children }: MenuProps) {
  return (
    <Primitive.Root modal={false}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <div role="region" aria-label="Menu">
          <Primitive.Content
            align={align}
            side={side}
            sideOffset={4}
            collisionPadding={8}
            className={cn(
              SURFACE,
              'max-h-(--radix-dropdown-menu-content-available-height) max-w-80 min-w-44 overflow-y-auto p-1',
              className,
            )}
          >
            {children}
          </Primitive.Content>
        </div>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

type ItemProps = {
  icon?: LucideIcon;
  onSelect?: () => void;
  disabled?: boolean;
  danger?: boolean;
  /** The only child is a link. */
  asChild?: boolean;
  children: ReactNode;
};

export function MenuItem({ icon: Icon, onSelect, disabled, danger, asChild, children }: ItemProps) {
  return (
    <Primitive.Item
      asChild={asChild}
      disabled={disabled}
      onSelect={onSelect}
      className={cn(ITEM, danger && 'text-danger-text')}
    >
      {asChild ? (
        children
      ) : (
        <>
          {Icon && <Icon aria-hidden className={cn('size-4', !danger && 'text-muted')} />}
          {children}
        </>
      )}
    </Primitive.Item>
  );
}

export function MenuCheck({
  checked,
  onChange,
  disabled,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <Primitive.CheckboxItem
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={ITEM}
    >
      <span className="flex size-4 items-center justify-center">
        <Primitive.ItemIndicator>
          <Check aria-hidden className="size-4 text-accent-text" />
        </Primitive.ItemIndicator>
      </span>
      {children}
    </Primitive.CheckboxItem>
  );
}

export function MenuRadio<T extends string>({
  value,
  onChange,
  choices,
}: {
  value: T;
  onChange: (value: T) => void;
  choices: readonly { value: T; label: ReactNode }[];
}) {
  return (
    <Primitive.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      {choices.map((choice) => (
        <Primitive.RadioItem key={choice.value} value={choice.value} className={ITEM}>
          <span className="flex size-4 shrink-0 items-center justify-center">
            <Primitive.ItemIndicator>
              <Check aria-hidden className="size-4 text-accent-text" />
            </Primitive.ItemIndicator>
          </span>
          {choice.label}
        </Primitive.RadioItem>
      ))}
    </Primitive.RadioGroup>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <Primitive.Label className="px-2 pt-1.5 pb-1 text-xs text-muted">{children}</Primitive.Label>
  );
}

export function MenuSeparator() {
  return <Primitive.Separator className="-mx-1 my-1 h-px bg-line" />;
}

type PopoverProps = MenuProps & {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  label?: string;
};

/** Something small to look at or to fill in, beside its button. */
export function Popover({
  trigger,
  align = 'start',
  side,
  className,
  children,
  open,
  onOpenChange,
  label,
}: PopoverProps) {
  return (
    <PopoverPrimitive.Root open={open} onOpenChange={onOpenChange}>
      <PopoverPrimitive.Trigger asChild>{trigger}</PopoverPrimitive.Trigger>
      <PopoverPrimitive.Portal>
        <PopoverPrimitive.Content
          aria-label={label}
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          className={cn(
            SURFACE,
            'max-h-(--radix-popover-content-available-height) w-72 max-w-[calc(100vw-16px)] overflow-y-auto p-3',
            className,
          )}
        >
          {children}
        </PopoverPrimitive.Content>
      </PopoverPrimitive.Portal>
    </PopoverPrimitive.Root>
  );
}

export const PopoverClose = PopoverPrimitive.Close;
