import type { Member } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { RiskBadge, STAGE, StageBadge, StatusBadge } from '@/components/ui/badge';
import type { Column } from '@/components/ui/data-table';
import { Avatar, PersonName } from '@/components/ui/person';
import { RelativeTime } from '@/components/ui/text';
import * as format from '@/lib/format';
import { displayName } from '@/lib/people';

import { ownerName } from './controls';

/** The columns of the list; a score's bar is full where leads count as qualified. */
export function columnsFor(
  members: readonly Member[],
  qualifiedFrom: number,
  narrow: boolean,
): Column<Lead>[] {
  return [
    {
      id: 'name',
      header: 'Lead',
      min: 220,
      grow: 3,
      sort: 'asc',
      fixed: true,
      phone: 'title',
      cell: (lead) => (
        <span className="flex min-w-0 items-center gap-2.5">
          <Avatar person={lead} />
          {narrow ? <InTwoLines lead={lead} /> : <PersonName person={lead} className="leading-4" />}
        </span>
      ),
    },
    {
      id: 'stage',
      header: 'Stage',
      min: 96,
      grow: 0,
      phone: 'aside',
      cell: ({ leadStage }) => <StageBadge stage={leadStage} />,
    },
    {
      id: 'score',
      header: 'Score',
      min: 96,
      grow: 0,
      align: 'right',
      sort: 'desc',
      phone: 'aside',
      cell: (lead) => <Score lead={lead} full={qualifiedFrom} />,
    },
    {
      id: 'velocity',
      header: 'Velocity',
      min: 68,
      grow: 0,
      phone: 'none',
      cell: ({ velocityScore, eventsLast24h }) => (
        <span
          className={velocityScore === 0 ? 'text-faint' : undefined}
          title={`${format.count(eventsLast24h, 'act')} in the last 24 hours`}
        >
          {velocityScore} / 10
        </span>
      ),
    },
    {
      id: 'risk',
      header: 'Risk',
      min: 80,
      grow: 0,
      phone: 'none',
      cell: ({ risk }) => <RiskBadge risk={risk} />,
    },
    {
      id: 'next',
      header: 'Next action',
      min: 160,
      grow: 2,
      phone: 'none',
      cell: ({ nextBestAction }) => (
        <span className="block min-w-0 truncate text-muted" title={nextBestAction}>
          {nextBestAction}
        </span>
      ),
    },
    {
      id: 'owner',
      header: 'Owner',
      min: 52,
      grow: 0,
      phone: 'none',
      cell: ({ owner }) => <OwnerMark owner={owner} members={members} />,
    },
    {
      id: 'status',
      header: 'Status',
      min: 108,
      grow: 0,
      phone: 'none',
      cell: ({ status }) => <StatusBadge status={status} />,
    },
    {
      id: 'lastEventAt',
      header: 'Last seen',
      min: 92,
      grow: 0,
      align: 'right',
      sort: 'desc',
      phone: 'none',
      cell: ({ lastEventAt }) => (
        <RelativeTime at={lastEventAt} none="never" className="text-muted" />
      ),
    },
    {
      id: 'createdAt',
      header: 'Created',
      min: 92,
      grow: 0,
      align: 'right',
      sort: 'desc',
      phone: 'none',
      cell: ({ createdAt }) => <RelativeTime at={createdAt} className="text-muted" />,
    },
  ];
}

/** On a phone: what to do beside when there was a sign of life. */
function InTwoLines({ lead }: { lead: Lead }) {
  const name = displayName(lead);
  return (
    <span className="flex min-w-0 flex-col leading-5">
      <span className="truncate font-medium" title={name}>
        {name}
      </span>
      <span className="flex min-w-0 gap-1 text-xs text-muted">
        <span className="truncate">{lead.nextBestAction}</span>
        <span aria-hidden>·</span>
        <RelativeTime at={lead.lastEventAt} none="never" />
      </span>
    </span>
  );
}

function Score({ lead, full }: { lead: Lead; full: number }) {
  const share = Math.max(0, Math.min(1, full <= 0 ? 1 : lead.currentScore / full));
  return (
    <span className="flex items-center justify-end gap-2">
      <span
        aria-hidden
        className="h-1 w-9 shrink-0 overflow-hidden rounded-full bg-pressed max-md:hidden"
      >
        <span
          className="block h-full rounded-full"
          style={{ width: `${share * 100}%`, background: STAGE[lead.leadStage].color }}
        />
      </span>
      <span
        className="min-w-9 text-right font-semibold tabular"
        title={`${lead.currentScore} points`}
      >
        {format.points(lead.currentScore)}
      </span>
    </span>
  );
}

function OwnerMark({ owner, members }: { owner: string | null; members: readonly Member[] }) {
  if (owner === null) return <span className="text-faint">{format.NONE}</span>;
  const name = ownerName(owner, members);
  return (
    <span className="inline-flex" title={name}>
      <Avatar person={members.find(({ id }) => id === owner) ?? { id: owner, name }} size="sm" />
      <span className="sr-only">{name}</span>
    </span>
  );
}
