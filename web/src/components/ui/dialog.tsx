import { X } from 'lucide-react';
import { AlertDialog, Dialog as Primitive } from 'radix-ui';
import { type ReactNode, useState } from 'react';

import { cn } from '@/lib/cn';

import { Button, IconButton } from './button';
import { Field, Input } from './form';

const OVERLAY = 'fixed inset-0 z-40 bg-(--overlay) animate-in';
const PANEL =
  'fixed z-40 flex flex-col border-line bg-surface text-ink shadow-pop focus:outline-none ' +
  'max-md:inset-x-0 max-md:bottom-0 max-md:max-h-[92dvh] max-md:rounded-t-xl max-md:border-t max-md:animate-rise ' +
  'md:top-[12dvh] md:left-1/2 md:max-h-[80dvh] md:-translate-x-1/2 md:rounded-xl md:border md:animate-in';
const WIDTHS = { sm: 'md:w-[400px]', md: 'md:w-[520px]', lg: 'md:w-[760px]' } as const;

const FIELDS = 'input:enabled:not([type="hidden"]), select:enabled, textarea:enabled';

/** Begins with the panel itself, so that Escape and reading begin there and no button is lit. */
function focusPanel(event: Event) {
  if (!(event.currentTarget instanceof HTMLElement)) return;
  event.preventDefault();
  event.currentTarget.focus();
}

/** The same, but in the first field if there is one. */
function focusField(event: Event) {
  focusPanel(event);
  if (!(event.currentTarget instanceof HTMLElement)) return;
  event.currentTarget.querySelector<HTMLElement>(FIELDS)?.focus();
}

type DialogProps = {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  width?: keyof typeof WIDTHS;
  /** Buttons at the bottom; the one that does it is the last. */
  footer?: ReactNode;
  children?: ReactNode;
};

/** A question over the page; on a phone it comes from below. */
export function Dialog({
  open,
  onClose,
  title,
  description,
  width = 'md',
  footer,
  children,
}: DialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className={OVERLAY} />
        <Primitive.Content
          onOpenAutoFocus={focusField}
          className={cn(PANEL, WIDTHS[width])}
          {...(description == null && { 'aria-describedby': undefined })}
        >
          <div className="flex items-start justify-between gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0">
              <Primitive.Title className="text-lg font-semibold">{title}</Primitive.Title>
              {description != null && (
                <Primitive.Description className="mt-1 text-sm text-muted">
                  {description}
                </Primitive.Description>
              )}
            </div>
            <Primitive.Close asChild>
              <IconButton icon={X} label="Close" className="-mr-2" />
            </Primitive.Close>
          </div>
          {children != null && <div className="min-h-0 overflow-y-auto px-5 pb-5">{children}</div>}
          {footer != null && (
            <div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </div>
          )}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

type ConfirmProps = {
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: ReactNode;
  /** What will be lost, and whether it can come back. */
  children: ReactNode;
  /** What it does, as a verb: "Delete project". */
  action: string;
  danger?: boolean;
  busy?: boolean;
  /** What went wrong on the last try. */
  error?: string | null;
  /** For what can't come back: a word that has to be typed. */
  typed?: string;
};

/** Asks before something is lost. */
export function ConfirmDialog({
  open,
  onClose,
  onConfirm,
  title,
  children,
  action,
  danger = true,
  busy = false,
  error,
  typed,
}: ConfirmProps) {
  const [word, setWord] = useState('');
  const close = () => {
    setWord('');
    onClose();
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={cn(PANEL, 'md:w-[440px]')}>
          <div className="flex flex-col gap-3 overflow-y-auto px-5 pt-4 pb-5">
            <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
            <AlertDialog.Description asChild>
              <div className="text-sm text-muted">{children}</div>
            </AlertDialog.Description>
            {typed !== undefined && (
              <Field label={<>Type “{typed}” to go on</>}>
                <Input
                  value={word}
                  autoComplete="off"
                  onChange={(event) => setWord(event.target.value)}
                />
              </Field>
            )}
            {error != null && (
              <p role="alert" className="text-sm text-danger-text">
                {error}
              </p>
            )}
          </div>
          <div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button
              kind={danger ? 'danger' : 'primary'}
              busy={busy}
              disabled={typed !== undefined && word.trim() !== typed}
              onClick={onConfirm}
            >
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

type SheetProps = {
  open: boolean;
  onClose: () => void;
  /** Read out; shown unless there is a header. */
  title: string;
  header?: ReactNode;
  side?: 'left' | 'right';
  className?: string;
  children: ReactNode;
  /** The page behind stays in use, as with a list beside its drawer. */
  beside?: boolean;
};

/** A part of the window at its side: a drawer, or the menu of a phone. */
export function Sheet({
  open,
  onClose,
  title,
  header,
  side = 'right',
  className,
  children,
  beside = false,
}: SheetProps) {
  return (
    <Primitive.Root open={open} modal={!beside} onOpenChange={(next) => !next && onClose()}>
      <Primitive.Portal>
        {!beside && <Primitive.Overlay className={OVERLAY} />}
        <Primitive.Content
          aria-describedby={undefined}
          onInteractOutside={(event) => beside && event.preventDefault()}
          onOpenAutoFocus={focusPanel}
          className={cn(
            'fixed inset-y-0 z-40 flex max-w-full animate-slide flex-col border-line bg-surface shadow-pop focus:outline-none',
            side === 'right'
              ? 'right-0 w-full border-l md:w-[560px]'
              : 'left-0 w-[280px] border-r [--slide-from:-24px]',
            className,
          )}
        >
          <div className="flex min-h-12 items-center justify-between gap-2 border-b border-line py-1.5 pr-2 pl-4">
            <Primitive.Title
              className={cn('min-w-0 truncate font-semibold', header != null && 'sr-only')}
            >
              {title}
            </Primitive.Title>
            {header}
            <Primitive.Close asChild>
              <IconButton icon={X} label="Close" />
            </Primitive.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
