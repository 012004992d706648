import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, type SyntheticEvent, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';

/** What was typed and not saved yet, over what is saved. */
export function useDraft<T extends Record<string, unknown>>(saved: T) {
  const [changes, setChanges] = useState<Partial<T>>({});
  const values: T = { ...saved, ...changes };
  const dirty = Object.keys(saved).some((name) => values[name] !== saved[name]);
  return {
    values,
    dirty,
    set: (more: Partial<T>) => setChanges((now) => ({ ...now, ...more })),
    reset: () => setChanges({}),
  };
}

/** An error that belongs to none of the fields. */
export function otherThan(error: unknown, ...fields: string[]): string | null {
  if (error == null) return null;
  if (isApiError(error) && fields.some((field) => error.field(field) !== undefined)) return null;
  return messageOf(error);
}

type Props = {
  dirty: boolean;
  busy: boolean;
  /** What is wrong with no field of it. */
  error?: string | null;
  save?: string;
  onSave: () => void;
  onReset: () => void;
  children: ReactNode;
};

/** Fields with Save and Discard, that doesn't let what was typed be lost unasked. */
export function DraftForm({ dirty, busy, error, save = 'Save', onSave, onReset, children }: Props) {
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (dirty) onSave();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      {children}
      {error != null && (
        <p role="alert" className="text-sm text-danger-text">
          {error}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button kind="primary" type="submit" busy={busy} disabled={!dirty}>
          {save}
        </Button>
        {dirty && (
          <Button kind="ghost" disabled={busy} onClick={onReset}>
            Discard changes
          </Button>
        )}
      </div>
      <Guard dirty={dirty && !busy} />
    </form>
  );
}

/** Asks before a page with something unsaved is left. */
function Guard({ dirty }: { dirty: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      open={blocker.status === 'blocked'}
      onClose={() => blocker.reset?.()}
      onConfirm={() => blocker.proceed?.()}
      title="Leave without saving?"
      action="Leave"
    >
      What you changed here isn’t saved yet, and would be lost.
    </ConfirmDialog>
  );
}
