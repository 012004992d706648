import { Link } from '@tanstack/react-router';
import { Globe, ShieldCheck } from 'lucide-react';

import type { Event } from '@/api/events';
import { EventStatus, TestBadge } from '@/components/event-status';
import { Delta } from '@/components/ui/badge';
import type { Column } from '@/components/ui/data-table';
import { EventIcon } from '@/components/ui/event-icon';
import { Avatar } from '@/components/ui/person';
import { RelativeTime } from '@/components/ui/text';
import { useNarrow } from '@/lib/hooks';
import { leadPath } from '@/lib/paths';

/** What an event's lead is called, in one line. */
export function nameOf({ lead, leadId }: Pick<Event, 'lead' | 'leadId'>): string {
  return lead.name ?? lead.email ?? `Anonymous ${leadId.slice(-6)}`;
}

export function LeadLink({ event }: { event: Event }) {
  const name = nameOf(event);
  return (
    <Link
      to={leadPath(event.leadId)}
      title={event.lead.email ?? name}
      className="flex min-w-0 items-center gap-2 rounded-sm hover:underline"
    >
      <Avatar size="sm" person={{ ...event.lead, id: event.leadId }} />
      <span className="truncate">{name}</span>
    </Link>
  );
}

/** In a list; on a phone the whole row is a button, which can have no link inside. */
function LeadCell({ event }: { event: Event }) {
  const narrow = useNarrow();
  if (!narrow) return <LeadLink event={event} />;
  return (
    <span className="truncate" title={event.lead.email ?? undefined}>
      {nameOf(event)}
    </span>
  );
}

export function Source({ trusted }: { trusted: boolean }) {
  const Icon = trusted ? ShieldCheck : Globe;
  return (
    <span
      className="inline-flex items-center gap-1.5 text-muted"
      title={
        trusted
          ? 'From a server, an import or a person of the project'
          : 'From a browser with the write key: anybody could have said so'
      }
    >
      <Icon aria-hidden className="size-3.5" />
      {trusted ? 'Trusted' : 'Claimed'}
    </span>
  );
}

export const COLUMNS: Column<Event>[] = [
  {
    id: 'type',
    header: 'Event',
    min: 200,
    grow: 3,
    phone: 'title',
    cell: ({ eventType, test }) => (
      <span className="flex min-w-0 items-center gap-2.5">
        <EventIcon type={eventType} />
        <span className="truncate font-medium" title={eventType}>
          {eventType}
        </span>
        {test && <TestBadge />}
      </span>
    ),
  },
  {
    id: 'lead',
    header: 'Lead',
    min: 180,
    grow: 3,
    phone: 'meta',
    cell: (event) => <LeadCell event={event} />,
  },
  {
    id: 'source',
    header: 'Source',
    min: 92,
    grow: 1,
    phone: 'none',
    cell: ({ trusted }) => <Source trusted={trusted} />,
  },
  {
    id: 'status',
    header: 'Status',
    min: 96,
    grow: 1,
    phone: 'aside',
    cell: ({ status }) => <EventStatus status={status} />,
  },
  {
    id: 'delta',
    header: 'Points',
    min: 64,
    grow: 0,
    align: 'right',
    phone: 'aside',
    cell: ({ delta, status }) =>
      delta === null || status !== 'scored' ? (
        <span className="text-faint">–</span>
      ) : (
        <Delta value={delta} />
      ),
  },
  {
    id: 'time',
    header: 'Happened',
    min: 104,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ timestamp }) => <RelativeTime at={timestamp} className="text-muted" />,
  },
];
