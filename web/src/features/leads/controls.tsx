import { useQuery } from '@tanstack/react-query';
import { ChevronDown, UserRoundPlus } from 'lucide-react';
import { useState } from 'react';

import { type Member, membersQuery, type Status } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { useMay, useMe, useProject } from '@/api/session';
import { STATUS, StatusBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { DropdownMenu, MenuItem, MenuRadio, MenuSeparator } from '@/components/ui/menu';
import { Avatar } from '@/components/ui/person';

import { STATUSES } from './view';
import { useWorkOn } from './work';

/** Everybody who can own leads here. */
export function useMembers(): readonly Member[] {
  const { id } = useProject();
  return useQuery(membersQuery(id)).data ?? [];
}

/** What an owner is called; one who is no member any more by what is stored. */
export function ownerName(owner: string, members: readonly Member[]): string {
  const member = members.find(({ id }) => id === owner);
  if (member !== undefined) return member.name || member.email;
  return /^[0-9a-f]{8}-/.test(owner) ? 'Somebody who left' : owner;
}

function Owner({ owner, members }: { owner: string; members: readonly Member[] }) {
  const member = members.find(({ id }) => id === owner);
  const name = ownerName(owner, members);
  return (
    <>
      <Avatar person={member ?? { id: owner, name }} size="sm" />
      <span className="truncate" title={name}>
        {name}
      </span>
    </>
  );
}

/** Who looks after the lead; take it, give it, or give it up. */
export function OwnerControl({ lead }: { lead: Lead }) {
  const me = useMe().user;
  const may = useMay();
  const members = useMembers();
  const work = useWorkOn(lead);
  const { owner } = lead;

  if (!may('leads.write')) {
    return (
      <span className="inline-flex h-8 min-w-0 items-center gap-2 text-sm text-muted">
        {owner === null ? 'No owner' : <Owner owner={owner} members={members} />}
      </span>
    );
  }
  const take = () => work({ owner: me.id }, 'The lead is yours');
  if (owner === null) {
    return (
      <span className="inline-flex">
        <Button icon={UserRoundPlus} className="rounded-r-none" onClick={take}>
          Take it
        </Button>
        <OwnerMenu {...{ lead, members }}>
          <Button
            aria-label="Give it to somebody"
            className="-ml-px rounded-l-none px-1.5"
            icon={ChevronDown}
          />
        </OwnerMenu>
      </span>
    );
  }
  return (
    <OwnerMenu {...{ lead, members }}>
      <Button className="max-w-48" aria-label={`Owner: ${ownerName(owner, members)}`}>
        <Owner owner={owner} members={members} />
        <ChevronDown aria-hidden className="size-3.5 shrink-0 text-muted" />
      </Button>
    </OwnerMenu>
  );
}

function OwnerMenu({
  lead,
  members,
  children,
}: {
  lead: Lead;
  members: readonly Member[];
  children: React.ReactNode;
}) {
  const me = useMe().user;
  const work = useWorkOn(lead);
  const others = members.filter(({ id, role }) => id !== me.id && role !== 'viewer');
  return (
    <DropdownMenu trigger={children} align="start">
      {lead.owner !== me.id && (
        <MenuItem onSelect={() => work({ owner: me.id }, 'The lead is yours')}>
          <Avatar person={me} size="sm" />
          Take it yourself
        </MenuItem>
      )}
      {others
        .filter(({ id }) => id !== lead.owner)
        .map((member) => (
          <MenuItem
            key={member.id}
            onSelect={() => work({ owner: member.id }, `Given to ${member.name || member.email}`)}
          >
            <Avatar person={member} size="sm" />
            <span className="truncate">{member.name || member.email}</span>
          </MenuItem>
        ))}
      {lead.owner !== null && (
        <>
          <MenuSeparator />
          <MenuItem onSelect={() => work({ owner: null }, 'The lead has no owner now')}>
            No owner
          </MenuItem>
        </>
      )}
    </DropdownMenu>
  );
}

/** How far the sale is. */
export function StatusControl({ lead }: { lead: Lead }) {
  const may = useMay();
  const work = useWorkOn(lead);
  if (!may('leads.write')) return <StatusBadge status={lead.status} />;
  const { label, icon: Icon } = STATUS[lead.status];
  return (
    <DropdownMenu
      align="start"
      trigger={
        <Button aria-label={`Status: ${label}`}>
          <Icon aria-hidden className="size-4 text-muted" />
          {label}
          <ChevronDown aria-hidden className="size-3.5 text-muted" />
        </Button>
      }
    >
      <MenuRadio<Status>
        value={lead.status}
        onChange={(status) => {
          if (status !== lead.status) {
            work({ status }, `Status set to ${STATUS[status].label.toLowerCase()}`);
          }
        }}
        choices={STATUSES.map((value) => ({ value, label: <StatusChoice status={value} /> }))}
      />
    </DropdownMenu>
  );
}

function StatusChoice({ status }: { status: Status }) {
  const { label, icon: Icon } = STATUS[status];
  return (
    <span className="inline-flex items-center gap-2">
      <Icon aria-hidden className="size-4 text-muted" />
      {label}
    </span>
  );
}

/** Something that is open or not, and how to say so. */
export function useOpen() {
  const [open, setOpen] = useState(false);
  return { open, show: () => setOpen(true), close: () => setOpen(false) };
}
