import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Crown, Ellipsis, LogOut, UserMinus } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { type Role, ROLES } from '@/api/permissions';
import { useMe, useProject, useRefusal } from '@/api/session';
import { changeMember, type Member, membersQuery, removeMember } from '@/api/settings';
import { Badge } from '@/components/ui/badge';
import { Button, IconButton } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Select } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { DropdownMenu, MenuItem } from '@/components/ui/menu';
import { Avatar } from '@/components/ui/person';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';
import { words } from '@/lib/format';

import { ROLE_SAYS, rolesToGive, type Viewer } from './roles';

export function MembersSection() {
  const project = useProject();
  const { user } = useMe();
  const navigate = useNavigate();
  const refusal = useRefusal()('members.write');
  const members = useQuery(membersQuery(project.id));
  const rows = members.data?.members ?? [];
  const viewer: Viewer = {
    id: user.id,
    role: project.role,
    owners: rows.filter(({ role }) => role === 'owner').length,
  };
  return (
    <>
      <Card
        title={rows.length > 0 ? `Members (${rows.length})` : 'Members'}
        aside={
          refusal === null && (
            <Button
              size="sm"
              kind="primary"
              onClick={() =>
                void navigate({ to: '/settings/$section', params: { section: 'invitations' } })
              }
            >
              Invite
            </Button>
          )
        }
        flush
      >
        {members.data === undefined ? (
          members.isError ? (
            <ErrorState
              error={members.error}
              title="Members can’t be shown"
              onRetry={() => void members.refetch()}
            />
          ) : (
            <Loading label="Members are loading">
              {[0, 1, 2].map((row) => (
                <div key={row} className="flex gap-3 border-t border-line px-4 py-3">
                  <Skeleton className="size-7 rounded-full" />
                  <Skeleton className="h-7 flex-1" />
                </div>
              ))}
            </Loading>
          )
        ) : (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((member) => (
              <MemberRow key={member.id} member={member} viewer={viewer} />
            ))}
          </ul>
        )}
        {refusal !== null && (
          <p className="border-t border-line px-4 py-2.5 text-xs text-muted">
            Roles can’t be changed by you. {refusal}
          </p>
        )}
      </Card>
      <Card title="What roles may do">
        <dl className="grid grid-cols-[5rem_1fr] gap-x-4 gap-y-1.5 text-sm">
          {ROLES.map((role) => (
            <div key={role} className="col-span-2 grid grid-cols-subgrid">
              <dt className="font-medium capitalize">{role}</dt>
              <dd className="text-muted">{ROLE_SAYS[role]}</dd>
            </div>
          ))}
        </dl>
      </Card>
    </>
  );
}

type Asking = 'remove' | 'leave' | 'transfer' | null;

function MemberRow({ member, viewer }: { member: Member; viewer: Viewer }) {
  const { id: projectId } = useProject();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<Asking>(null);
  const self = member.id === viewer.id;
  const roles = rolesToGive(viewer, member);
  const changed = () => {
    void queries.invalidateQueries({ queryKey: keys.project.part(projectId, 'members') });
    return queries.invalidateQueries({ queryKey: keys.me });
  };
  const change = useMutation({
    mutationFn: ({ role, transfer }: { role: Role; transfer?: boolean }) =>
      changeMember(projectId, member.id, role, transfer),
    onSuccess: (_, { role }) => {
      setAsking(null);
      toast(`${member.name} is ${role} now`);
    },
    onError: (error, { transfer }) => {
      if (transfer !== true) toastError(error);
    },
    onSettled: changed,
  });
  const remove = useMutation({
    mutationFn: () => removeMember(projectId, member.id),
    onSuccess: () => {
      setAsking(null);
      toast(self ? 'You have left the project' : `${member.name} is no member any more`);
      return changed();
    },
  });
  const ask = (what: Asking) => {
    change.reset();
    remove.reset();
    setAsking(what);
  };
  const mayRemove = !self && roles.length > 0;
  const mayLeave = self && !(member.role === 'owner' && viewer.owners === 1);
  const mayTransfer = !self && viewer.role === 'owner';
  const shownRole = change.isPending ? change.variables.role : member.role;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
      <Avatar person={member} />
      <div className="min-w-0 flex-1 basis-32 text-sm leading-5">
        <p className="flex items-center gap-2">
          <span className="truncate font-medium" title={member.name}>
            {member.name}
          </span>
          {self && <Badge>You</Badge>}
          {member.disabled && <Badge tone="danger">Disabled</Badge>}
          {!member.verified && <Badge tone="warn">Unverified</Badge>}
        </p>
        <p className="truncate text-xs text-muted" title={member.email}>
          {member.email}
        </p>
      </div>
      <span className="text-xs text-muted max-md:hidden">
        joined <RelativeTime at={member.joinedAt} />
      </span>
      {roles.length > 0 ? (
        <Select
          aria-label={`Role of ${member.name}`}
          className="w-26"
          value={shownRole}
          disabled={change.isPending}
          onChange={(event) => change.mutate({ role: event.target.value as Role })}
        >
          {roles.map((role) => (
            <option key={role} value={role}>
              {words(role)}
            </option>
          ))}
        </Select>
      ) : (
        <span className="w-26 px-2.5 text-sm">{words(member.role)}</span>
      )}
      {mayRemove || mayLeave || mayTransfer ? (
        <DropdownMenu trigger={<IconButton icon={Ellipsis} label={`More about ${member.name}`} />}>
          {mayTransfer && (
            <MenuItem icon={Crown} onSelect={() => ask('transfer')}>
              Transfer ownership…
            </MenuItem>
          )}
          {mayRemove && (
            <MenuItem icon={UserMinus} danger onSelect={() => ask('remove')}>
              Remove from the project…
            </MenuItem>
          )}
          {mayLeave && (
            <MenuItem icon={LogOut} danger onSelect={() => ask('leave')}>
              Leave the project…
            </MenuItem>
          )}
        </DropdownMenu>
      ) : (
        <span className="size-8 max-md:hidden" />
      )}
      <ConfirmDialog
        open={asking === 'remove' || asking === 'leave'}
        onClose={() => setAsking(null)}
        onConfirm={() => remove.mutate()}
        title={self ? 'Leave this project?' : `Remove ${member.name}?`}
        action={self ? 'Leave' : 'Remove'}
        busy={remove.isPending}
        error={remove.isError ? messageOf(remove.error) : null}
      >
        {self
          ? 'You can’t open the project any more until somebody invites you again. What you did stays.'
          : 'The person can’t open the project any more, within seconds. Leads they own keep their name, and what they did stays in the history.'}
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === 'transfer'}
        onClose={() => setAsking(null)}
        onConfirm={() => change.mutate({ role: 'owner', transfer: true })}
        title={`Make ${member.name} the owner?`}
        action="Transfer ownership"
        busy={change.isPending}
        error={change.isError ? messageOf(change.error) : null}
      >
        You stay as an admin. Only the new owner can give it back to you; deleting the project,
        retention, suppressions and the audit log are the owner’s from then on.
      </ConfirmDialog>
    </li>
  );
}
