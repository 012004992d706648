import { useMutation, useQuery } from '@tanstack/react-query';
import { Ban, Ellipsis, KeyRound, Pencil, Plus, Power, RotateCw } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { messageOf } from '@/api/errors';
import { membersQuery } from '@/api/lead';
import { changeKey, type Key, keysQuery, revokeKey } from '@/api/project-keys';
import { useProject, useRefusal } from '@/api/session';
import { Badge, type Tone } from '@/components/ui/badge';
import { Button, IconButton } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { DropdownMenu, MenuItem, MenuSeparator } from '@/components/ui/menu';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { CopyButton, RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';

import { NewSecretKey, RotateKey, ShownOnce, useKeysChanged, WriteKeyForm } from './key-forms';
import { makerOf, scopeLabel } from './keys-logic';

type Doing =
  | { what: 'new-secret' | 'new-write' }
  | { what: 'change' | 'rotate' | 'revoke'; key: Key }
  | { what: 'shown'; value: string };

/** Write keys and secret keys of the project. */
export function KeysPanel() {
  const project = useProject();
  const refuse = useRefusal();
  const refused = refuse('keys.write');
  const secretRefused = refuse('keys.secret');
  const found = useQuery({ ...keysQuery(project.id), enabled: refused === null });
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = () => setDoing(null);
  const shown = (value: string) => setDoing({ what: 'shown', value });

  if (refused !== null) {
    return (
      <Card>
        <EmptyState icon={KeyRound} title="Keys are for admins">
          {refused}
        </EmptyState>
      </Card>
    );
  }
  const { data, error } = found;
  if (data === undefined) {
    return (
      <Card>
        {error ? (
          <ErrorState
            error={error}
            title="The keys can’t be shown"
            onRetry={() => void found.refetch()}
          />
        ) : (
          <Loading label="The keys are loading">
            <div className="flex flex-col gap-3">
              {Array.from({ length: 4 }, (_, index) => (
                <Skeleton key={index} className="h-10" />
              ))}
            </div>
          </Loading>
        )}
      </Card>
    );
  }
  const list = (kind: Key['kind']) =>
    data
      .filter((key) => key.kind === kind)
      .map((key) => <KeyLine key={key.id} of={key} onDo={setDoing} />);
  const [write, secret] = [list('write'), list('secret')];
  return (
    <div className="flex flex-col gap-4">
      <Card
        flush
        title="Write keys"
        aside={
          <Button size="sm" icon={Plus} onClick={() => setDoing({ what: 'new-write' })}>
            New write key
          </Button>
        }
      >
        <Explained>
          For websites and apps, where everybody can read them: they send events and do nothing
          else. One per site can be limited to that site, and go without the others.
        </Explained>
        <ul aria-label="Write keys">{write}</ul>
        {write.length === 0 && <Nothing>No write key: websites can send nothing.</Nothing>}
      </Card>
      <Card
        flush
        title="Secret keys"
        aside={
          <Button
            size="sm"
            icon={Plus}
            disabled={secretRefused !== null}
            title={secretRefused ?? undefined}
            onClick={() => setDoing({ what: 'new-secret' })}
          >
            New secret key
          </Button>
        }
      >
        <Explained>
          For servers: what they send is trusted, and each may do what you say. A secret key is
          shown once, and stored so that nobody can read it.
          {secretRefused !== null && ` ${secretRefused}`}
        </Explained>
        <ul aria-label="Secret keys">{secret}</ul>
        {secret.length === 0 && <Nothing>No secret key yet.</Nothing>}
      </Card>
      {doing?.what === 'new-secret' && <NewSecretKey onClose={close} onMade={shown} />}
      {doing?.what === 'new-write' && <WriteKeyForm of={null} onClose={close} />}
      {doing?.what === 'change' && <WriteKeyForm of={doing.key} onClose={close} />}
      {doing?.what === 'rotate' && <RotateKey of={doing.key} onClose={close} onMade={shown} />}
      {doing?.what === 'revoke' && <Revoke of={doing.key} onClose={close} />}
      {doing?.what === 'shown' && <ShownOnce value={doing.value} onClose={close} />}
    </div>
  );
}

function Explained({ children }: { children: ReactNode }) {
  return <p className="max-w-prose px-4 pb-3 text-sm text-muted">{children}</p>;
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className="border-t border-line px-4 py-4 text-sm text-muted">{children}</p>;
}

const STATE: Record<Key['state'], { label: string; tone: Tone }> = {
  active: { label: 'In use', tone: 'good' },
  off: { label: 'Off', tone: 'warn' },
  expired: { label: 'Expired', tone: 'neutral' },
  revoked: { label: 'Revoked', tone: 'neutral' },
};

function KeyLine({ of, onDo }: { of: Key; onDo: (doing: Doing) => void }) {
  const project = useProject();
  const secretRefused = useRefusal()('keys.secret');
  const changed = useKeysChanged();
  const over = of.state === 'revoked' || of.state === 'expired';
  const turning = useMutation({
    mutationFn: (active: boolean) => changeKey(project.id, of.id, { active }),
    onSuccess: async (_, active) => {
      toast(active ? 'The key works again' : 'The key is switched off', {
        label: 'Undo',
        run: () => turning.mutate(!active),
      });
      await changed();
    },
    onError: toastError,
  });
  const members = useQuery(membersQuery(project.id));
  const maker = makerOf(of.createdBy, members.data ?? []);
  const { label, tone } = STATE[of.state];
  const mayChange = of.kind === 'write' || secretRefused === null;
  const name = of.name || (of.kind === 'write' ? 'Write key' : 'Secret key');
  return (
    <li className="flex items-center gap-3 border-t border-line px-4 py-2.5 text-sm">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <div className="flex min-w-0 items-center gap-2">
          <span className="truncate font-medium" title={name}>
            {name}
          </span>
          <Badge tone={tone}>{label}</Badge>
        </div>
        {of.key !== null && !over && (
          <span className="flex min-w-0 items-center gap-1">
            <code className="truncate font-mono text-xs text-muted" title={of.key}>
              {of.key}
            </code>
            {of.kind === 'write' && <CopyButton text={of.key} label={`Copy ${name}`} />}
          </span>
        )}
        <div className="flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-muted">
          <span>
            {of.kind === 'secret'
              ? of.scopes.map(scopeLabel).join(', ')
              : of.origins.length === 0
                ? 'Any website'
                : of.origins.join(', ')}
          </span>
          <span>
            Last used <RelativeTime at={of.lastUsedAt} none="never" />
          </span>
          <span>
            Made <RelativeTime at={of.createdAt} />
            {maker !== null && ` by ${maker}`}
          </span>
          {of.expiresAt !== null && !over && (
            <span className="text-warn-text">
              Ends <RelativeTime at={of.expiresAt} />
            </span>
          )}
        </div>
      </div>
      {!over && mayChange && (
        <DropdownMenu trigger={<IconButton icon={Ellipsis} label={`What to do with ${name}`} />}>
          {of.kind === 'write' && (
            <MenuItem icon={Pencil} onSelect={() => onDo({ what: 'change', key: of })}>
              Name and websites
            </MenuItem>
          )}
          <MenuItem icon={RotateCw} onSelect={() => onDo({ what: 'rotate', key: of })}>
            Rotate
          </MenuItem>
          <MenuItem icon={Power} onSelect={() => turning.mutate(of.state !== 'active')}>
            {of.state === 'active' ? 'Switch off' : 'Switch on'}
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger icon={Ban} onSelect={() => onDo({ what: 'revoke', key: of })}>
            Revoke
          </MenuItem>
        </DropdownMenu>
      )}
    </li>
  );
}

function Revoke({ of, onClose }: { of: Key; onClose: () => void }) {
  const project = useProject();
  const changed = useKeysChanged();
  const revoking = useMutation({
    mutationFn: () => revokeKey(project.id, of.id),
    onSuccess: async () => {
      toast('The key is revoked');
      onClose();
      await changed();
    },
  });
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => revoking.mutate()}
      title={`Revoke “${of.name || of.kind}”?`}
      action="Revoke the key"
      busy={revoking.isPending}
      error={revoking.isError ? messageOf(revoking.error) : null}
    >
      Whatever still uses it is refused within seconds, and what it would have sent is lost. This
      can’t be undone; to try it out, switch the key off.
      {of.lastUsedAt !== null && (
        <>
          {' '}
          It was last used <RelativeTime at={of.lastUsedAt} />.
        </>
      )}
    </ConfirmDialog>
  );
}
