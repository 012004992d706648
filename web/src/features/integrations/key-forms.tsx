import { useMutation, useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { type ReactNode, type SyntheticEvent, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import {
  changeKey,
  type Key,
  makeKey,
  type NewKey,
  rotateKey,
  type Scope,
} from '@/api/project-keys';
import { useProject } from '@/api/session';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Checkbox, Field, Input, Select, Textarea } from '@/components/ui/form';
import { Notice } from '@/components/ui/states';
import { CopyButton } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';

import { endAfter, LIFETIMES, originsOf, SCOPES } from './keys-logic';

/** After a change of keys: the list, and the write key that every page shows. */
export function useKeysChanged() {
  const queries = useQueryClient();
  const { id } = useProject();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.project.part(id, 'keys') }),
      queries.invalidateQueries({ queryKey: keys.me }),
    ]);
}

/** A secret key, once. */
export function ShownOnce({ value, onClose }: { value: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title="Copy the secret key now"
      description="It is shown this once only. Nobody can look it up later."
      footer={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <span className="flex min-h-10 items-center justify-between gap-2 rounded-md border border-line bg-subtle py-1.5 pr-1 pl-3">
        <code data-secret className="min-w-0 font-mono text-sm break-all">
          {value}
        </code>
        <CopyButton text={value} label="Copy the secret key" />
      </span>
      <Notice tone="warn" icon={TriangleAlert} className="mt-3">
        Keep it on servers, in no page, app or repository.
      </Notice>
    </Dialog>
  );
}

/** Makes a secret key with what it may do and when it ends. */
export function NewSecretKey({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (key: string) => void;
}) {
  const { id } = useProject();
  const changed = useKeysChanged();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>([
    'events:write',
    'leads:read',
    'leads:write',
  ]);
  const [lifetime, setLifetime] = useState<string>('');
  const making = useMutation({
    mutationFn: (body: NewKey) => makeKey(id, body),
    onSuccess: async ({ key }) => {
      onMade(key);
      await changed();
    },
  });
  const submit = () => {
    const expiresAt = endAfter(lifetime, Date.now());
    making.mutate({
      kind: 'secret',
      name: name.trim(),
      scopes: [...scopes],
      origins: null,
      expiresAt,
    });
  };
  return (
    <FormDialog
      title="New secret key"
      description="For a server: what it sends is trusted."
      action="Make the key"
      busy={making.isPending}
      disabled={scopes.length === 0}
      error={making.error}
      fields={['name']}
      onClose={onClose}
      onSubmit={submit}
    >
      <Field
        label="Name"
        hint="Where it will be used."
        error={isApiError(making.error) ? making.error.field('name') : undefined}
      >
        <Input
          value={name}
          maxLength={100}
          placeholder="CRM sync"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <div role="group" aria-label="What it may do" className="flex flex-col gap-2">
        <span className="text-sm font-medium">What it may do</span>
        {SCOPES.map(({ scope, label, hint }) => (
          <Checkbox
            key={scope}
            label={label}
            hint={hint}
            checked={scopes.includes(scope)}
            onChange={(on) =>
              setScopes(on ? [...scopes, scope] : scopes.filter((other) => other !== scope))
            }
          />
        ))}
      </div>
      <Field label="Ends by itself">
        <Select value={lifetime} onChange={(event) => setLifetime(event.target.value)}>
          {LIFETIMES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
    </FormDialog>
  );
}

/** A new write key, or another name and other websites for one. */
export function WriteKeyForm({ of, onClose }: { of: Key | null; onClose: () => void }) {
  const { id } = useProject();
  const changed = useKeysChanged();
  const [name, setName] = useState(of?.name ?? '');
  const [origins, setOrigins] = useState(of?.origins.join('\n') ?? '');
  const saving = useMutation({
    mutationFn: async () => {
      const body = { name: name.trim(), origins: originsOf(origins) };
      if (of === null) await makeKey(id, { kind: 'write', ...body });
      else await changeKey(id, of.id, body);
    },
    onSuccess: async () => {
      toast(of === null ? 'Write key made' : 'Write key changed');
      onClose();
      await changed();
    },
  });
  const error = (field: string) =>
    isApiError(saving.error)
      ? saving.error.errors.find((one) => one.field.startsWith(field))?.message
      : undefined;
  return (
    <FormDialog
      title={of === null ? 'New write key' : 'Change the write key'}
      action={of === null ? 'Make the key' : 'Save'}
      busy={saving.isPending}
      error={saving.error}
      fields={['name', 'origins']}
      onClose={onClose}
      onSubmit={() => saving.mutate()}
    >
      <Field label="Name" hint="The website or app that uses it." error={error('name')}>
        <Input value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field
        label="Websites"
        hint="One a line, with scheme and port as in the address: https://shop.example. Empty: any website."
        error={error('origins')}
      >
        <Textarea
          rows={3}
          spellCheck={false}
          className="font-mono text-xs"
          value={origins}
          onChange={(event) => setOrigins(event.target.value)}
        />
      </Field>
    </FormDialog>
  );
}

const GRACES = [
  { value: '0', label: 'not at all' },
  { value: '1', label: 'for an hour' },
  { value: '24', label: 'for a day' },
  { value: '168', label: 'for a week' },
];

/** A successor for a key; the old one goes on for a while. */
export function RotateKey({
  of,
  onClose,
  onMade,
}: {
  of: Key;
  onClose: () => void;
  onMade: (key: string) => void;
}) {
  const { id } = useProject();
  const changed = useKeysChanged();
  const [grace, setGrace] = useState('24');
  const rotating = useMutation({
    mutationFn: () => rotateKey(id, of.id, Number(grace)),
    onSuccess: async ({ key }) => {
      if (of.kind === 'secret') onMade(key);
      else {
        toast('A new write key is in use');
        onClose();
      }
      await changed();
    },
  });
  return (
    <FormDialog
      title={`Rotate “${of.name || of.kind}”`}
      description="Makes a key that may do the same. Put it where the old one is before that ends."
      action="Rotate"
      busy={rotating.isPending}
      error={rotating.error}
      onClose={onClose}
      onSubmit={() => rotating.mutate()}
    >
      <Field label="The old key still works">
        <Select value={grace} onChange={(event) => setGrace(event.target.value)}>
          {GRACES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
    </FormDialog>
  );
}

type FormDialogProps = {
  title: string;
  description?: string;
  action: string;
  busy: boolean;
  disabled?: boolean;
  error: unknown;
  /** Fields that tell their own errors. */
  fields?: readonly string[];
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
};

function FormDialog(props: FormDialogProps) {
  const { title, description, action, busy, disabled = false, error, fields = [] } = props;
  const own =
    isApiError(error) &&
    error.errors.length > 0 &&
    error.errors.every(({ field }) => fields.some((name) => field.startsWith(name)));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    props.onSubmit();
  };
  return (
    <Dialog open onClose={props.onClose} title={title} description={description}>
      <form noValidate className="flex flex-col gap-4" onSubmit={submit}>
        {props.children}
        {error != null && !own && <Notice tone="danger">{messageOf(error)}</Notice>}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={disabled}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
