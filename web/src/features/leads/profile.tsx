import { Check, Pencil, Plus, ShieldQuestion, Trash2, X } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import type { LeadChanges } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { useMay } from '@/api/session';
import { Button, IconButton } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';

import { readTrait, writeTrait } from './traits';
import { conflictWords, useChangeLead } from './work';

const FIELDS = [
  { name: 'name', label: 'Name', type: 'text' },
  { name: 'email', label: 'Email', type: 'email' },
  { name: 'company', label: 'Company', type: 'text' },
  { name: 'userId', label: 'User id', type: 'text' },
] as const;

/** Who the person is, each line edited in its place. */
export function Profile({ lead }: { lead: Lead }) {
  const may = useMay()('leads.write');
  const change = useChangeLead(lead);
  const save = (changes: LeadChanges) => change.mutateAsync(changes);
  const traits = Object.entries(lead.traits as Record<string, unknown>).sort(([a], [b]) =>
    a.localeCompare(b),
  );
  return (
    <div className="flex flex-col">
      {FIELDS.map(({ name, label, type }) => (
        <Line
          key={name}
          label={label}
          type={type}
          value={lead[name] ?? ''}
          claimed={lead.claimed.includes(name)}
          editable={may}
          onSave={(value) => save({ [name]: value.trim() === '' ? null : value.trim() })}
          field={name}
        />
      ))}
      {traits.map(([name, value]) => (
        <Line
          key={`trait ${name}`}
          label={name}
          value={writeTrait(value)}
          claimed={lead.claimed.includes(`traits.${name}`) || lead.claimed.includes(name)}
          editable={may}
          onSave={(text) => save({ traits: { [name]: readTrait(text, value) } })}
          onRemove={() => save({ traits: { [name]: null } })}
          field={`traits.${name}`}
        />
      ))}
      {may && (
        <NewTrait
          taken={traits.map(([name]) => name)}
          onSave={(name, text) => save({ traits: { [name]: readTrait(text, undefined) } })}
        />
      )}
    </div>
  );
}

type LineProps = {
  label: string;
  field: string;
  value: string;
  type?: string;
  claimed: boolean;
  editable: boolean;
  onSave: (value: string) => Promise<unknown>;
  onRemove?: () => Promise<unknown>;
};

function wrong(error: unknown, field: string): string {
  return (
    conflictWords(error) ??
    (isApiError(error) ? (error.field(field) ?? error.errors[0]?.message) : null) ??
    messageOf(error)
  );
}

function Line({ label, field, value, type, claimed, editable, onSave, onRemove }: LineProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const run = async (deed: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await deed();
      setDraft(null);
    } catch (failed) {
      setError(wrong(failed, field));
    } finally {
      setBusy(false);
    }
  };
  const close = () => {
    setDraft(null);
    setError(null);
  };
  if (draft !== null) {
    const save = () => {
      if (draft === value) close();
      else void run(() => onSave(draft));
    };
    return (
      <Editing label={label} error={error} busy={busy} onSave={save} onCancel={close}>
        <Input
          type={type ?? 'text'}
          value={draft}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- one pressed Edit to type here
          autoFocus
          autoComplete="off"
          onChange={(event) => setDraft(event.target.value)}
        />
      </Editing>
    );
  }
  return (
    <div className="group grid min-h-8 grid-cols-[96px_minmax(0,1fr)_auto] items-center gap-3 text-sm">
      <span className="truncate text-muted" title={label}>
        {label}
      </span>
      <span className="flex min-w-0 items-center gap-1.5">
        <span className={value === '' ? 'text-faint' : 'truncate'} title={value}>
          {value === '' ? 'Not known' : value}
        </span>
        {claimed && value !== '' && <Claimed />}
      </span>
      {editable && (
        <span className="flex md:opacity-0 md:group-focus-within:opacity-100 md:group-hover:opacity-100">
          <IconButton
            icon={Pencil}
            size="sm"
            label={`Edit ${label}`}
            onClick={() => setDraft(value)}
          />
          {onRemove && (
            <IconButton
              icon={Trash2}
              size="sm"
              label={`Remove ${label}`}
              busy={busy}
              onClick={() => void run(onRemove)}
            />
          )}
        </span>
      )}
    </div>
  );
}

/** That nobody but the visitor said so. */
export function Claimed() {
  return (
    <span
      className="inline-flex shrink-0 items-center gap-1 text-xs text-warn-text"
      title="Said by a browser alone. An event from your server, or an edit by hand, confirms it."
    >
      <ShieldQuestion aria-hidden className="size-3.5" />
      claimed
    </span>
  );
}

function Editing({
  label,
  error,
  busy,
  onSave,
  onCancel,
  children,
}: {
  label: string;
  error: string | null;
  busy: boolean;
  onSave: () => void;
  onCancel: () => void;
  children: ReactNode;
}) {
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      // The drawer stays.
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      onCancel();
    }
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- hears Escape of its fields
    <form
      className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-1 py-1"
      onKeyDown={pressed}
      onSubmit={(event) => {
        event.preventDefault();
        onSave();
      }}
    >
      <Field label={label} error={error}>
        {children}
      </Field>
      <span className="mt-[26px] flex">
        <IconButton type="submit" icon={Check} label="Save" busy={busy} />
        <IconButton icon={X} label="Cancel" onClick={onCancel} />
      </span>
    </form>
  );
}

function NewTrait({
  taken,
  onSave,
}: {
  taken: readonly string[];
  onSave: (name: string, value: string) => Promise<unknown>;
}) {
  const [draft, setDraft] = useState<{ name: string; value: string } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  if (draft === null) {
    return (
      <Button
        kind="ghost"
        size="sm"
        icon={Plus}
        className="mt-1 -ml-2 self-start"
        onClick={() => setDraft({ name: '', value: '' })}
      >
        Add a trait
      </Button>
    );
  }
  const close = () => {
    setDraft(null);
    setError(null);
  };
  const save = async () => {
    const name = draft.name.trim();
    const refused =
      name === ''
        ? 'Give it a name.'
        : taken.includes(name)
          ? 'There is a trait of this name; edit it above.'
          : null;
    if (refused !== null) {
      setError(refused);
      return;
    }
    setBusy(true);
    try {
      await onSave(name, draft.value);
      close();
    } catch (failed) {
      setError(wrong(failed, `traits.${name}`));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex flex-col gap-1">
      <Editing label="Trait" error={error} busy={busy} onSave={() => void save()} onCancel={close}>
        <Input
          value={draft.name}
          placeholder="plan"
          autoComplete="off"
          // eslint-disable-next-line jsx-a11y/no-autofocus -- one pressed Add to type here
          autoFocus
          onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        />
        <Input
          id={undefined}
          aria-label="Value"
          value={draft.value}
          placeholder="Value"
          autoComplete="off"
          onChange={(event) => setDraft({ ...draft, value: event.target.value })}
        />
      </Editing>
    </div>
  );
}
