import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Mail, MailPlus } from 'lucide-react';
import { type SyntheticEvent, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { useMay, useProject, useRefusal } from '@/api/session';
import { type Invitation, invitationsQuery, invite, revokeInvitation } from '@/api/settings';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Field, Input, Select } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import { CodeBlock, RelativeTime } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';
import { useNow } from '@/lib/hooks';

import { otherThan } from './draft';
import { ROLE_SAYS } from './roles';
import { Refused } from './refused';

const GIVEN = ['viewer', 'member', 'admin'] as const;

export function InvitationsSection() {
  const may = useMay();
  if (!may('members.write')) {
    return (
      <Refused
        permission="members.write"
        what="Invitations are for those who look after members."
      />
    );
  }
  return (
    <>
      <Invite />
      <Waiting />
    </>
  );
}

function Invite() {
  const { id } = useProject();
  const refusal = useRefusal()('members.invite');
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<(typeof GIVEN)[number]>('member');
  const send = useMutation({
    mutationFn: () => invite(id, email.trim(), role),
    onSuccess: (made) => {
      setEmail('');
      if (made.mailed) toast(`An invitation is on its way to ${made.email}`);
      return queries.invalidateQueries({ queryKey: invitationsQuery(id).queryKey });
    },
  });
  const { error } = send;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <Card title="Invite somebody">
      <form onSubmit={submit} noValidate className="flex flex-col gap-3">
        <div className="flex flex-wrap items-start gap-3">
          <Field
            label="Email"
            className="flex-1 basis-56"
            error={isApiError(error) ? error.field('email') : null}
          >
            <Input
              type="email"
              value={email}
              disabled={refusal !== null}
              autoComplete="off"
              placeholder="name@example.com"
              onChange={(event) => setEmail(event.target.value)}
            />
          </Field>
          <Field label="Role">
            <Select
              className="w-32"
              value={role}
              disabled={refusal !== null}
              onChange={(event) => setRole(event.target.value as typeof role)}
            >
              {GIVEN.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </Select>
          </Field>
          <Button
            kind="primary"
            type="submit"
            icon={MailPlus}
            className="md:mt-[26px]"
            busy={send.isPending}
            disabled={refusal !== null || email.trim() === ''}
          >
            Send invitation
          </Button>
        </div>
        <p className="text-xs text-muted">{ROLE_SAYS[role]}</p>
        {refusal !== null && <Notice tone="warn">{refusal}</Notice>}
        {otherThan(error, 'email') !== null && (
          <Notice tone="danger">{otherThan(error, 'email')}</Notice>
        )}
        {send.data?.mailed === false && (
          <Notice tone="warn" icon={Mail}>
            <p>
              This installation sends no mail, and the link is told to nobody but the address that
              was invited. Whoever runs the server makes one with this command and hands it over:
            </p>
            <CodeBlock
              className="mt-2"
              label="Command"
              code={`leadpulse members invite ${send.data.email} --project ${id} --role ${send.data.role}`}
            />
          </Notice>
        )}
      </form>
    </Card>
  );
}

function Waiting() {
  const { id } = useProject();
  const found = useQuery(invitationsQuery(id));
  const rows = found.data?.invitations ?? [];
  return (
    <Card title="Open invitations" flush>
      {found.data === undefined ? (
        found.isError ? (
          <ErrorState
            error={found.error}
            title="Invitations can’t be shown"
            onRetry={() => void found.refetch()}
          />
        ) : (
          <Loading label="Invitations are loading">
            <Skeleton className="m-4 h-10" />
          </Loading>
        )
      ) : rows.length === 0 ? (
        <EmptyState icon={Mail} title="Nobody is invited" className="py-8">
          Who is invited stands here until they accept. A link works once, and for a week.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Row({ row }: { row: Invitation }) {
  const { id } = useProject();
  const queries = useQueryClient();
  const now = useNow();
  const [asking, setAsking] = useState(false);
  const over = new Date(row.expiresAt).getTime() <= now;
  const revoke = useMutation({
    mutationFn: () => revokeInvitation(id, row.id),
    onSuccess: () => {
      setAsking(false);
      toast('The invitation is revoked');
    },
    onSettled: () => queries.invalidateQueries({ queryKey: invitationsQuery(id).queryKey }),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-sm">
      <span className="min-w-0 flex-1 basis-48 truncate font-medium" title={row.email}>
        {row.email}
      </span>
      <Badge>{row.role}</Badge>
      <span className="text-xs text-muted">
        {over ? 'expired' : 'expires'} <RelativeTime at={row.expiresAt} />
      </span>
      <Button
        size="sm"
        aria-label={`Revoke the invitation of ${row.email}`}
        onClick={() => {
          revoke.reset();
          setAsking(true);
        }}
      >
        Revoke
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => revoke.mutate()}
        title="Revoke this invitation?"
        action="Revoke"
        busy={revoke.isPending}
        error={revoke.isError ? messageOf(revoke.error) : null}
      >
        The link that {row.email} got opens nothing any more. You can invite the address again.
      </ConfirmDialog>
    </li>
  );
}
