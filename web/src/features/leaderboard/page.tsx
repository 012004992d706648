import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Trophy } from 'lucide-react';

import { keys } from '@/api/keys';
import { byStageQuery, type Lead, leaderboardQuery } from '@/api/leads';
import { useHold, useLiveQueries } from '@/api/live';
import { RiskBadge, StageBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { type Column, DataTable } from '@/components/ui/data-table';
import { Segments } from '@/components/ui/form';
import { Card, PageHeader } from '@/components/ui/layout';
import { Avatar, PersonName } from '@/components/ui/person';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { Points, RelativeTime } from '@/components/ui/text';

import { StageFunnel } from './stage-funnel';
import { SIZES } from './view';

const route = getRouteApi('/shell/leaderboard');

type Ranked = Lead & { rank: number };

const COLUMNS: Column<Ranked>[] = [
  {
    id: 'rank',
    header: 'Rank',
    min: 44,
    grow: 0,
    align: 'right',
    phone: 'none',
    cell: ({ rank }) => <span className="text-muted">{rank}</span>,
  },
  {
    id: 'lead',
    header: 'Lead',
    min: 220,
    grow: 3,
    phone: 'title',
    cell: (lead) => (
      <span className="flex min-w-0 items-center gap-2.5">
        <Avatar person={lead} />
        <PersonName person={lead} className="leading-4" />
      </span>
    ),
  },
  {
    id: 'stage',
    header: 'Stage',
    min: 104,
    grow: 1,
    phone: 'aside',
    cell: ({ leadStage }) => <StageBadge stage={leadStage} />,
  },
  {
    id: 'score',
    header: 'Score',
    min: 72,
    grow: 0,
    align: 'right',
    phone: 'aside',
    cell: ({ currentScore }) => <Points value={currentScore} className="font-semibold" />,
  },
  {
    id: 'events',
    header: 'Acts in 24 h',
    min: 88,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ eventsLast24h }) => <Points value={eventsLast24h} />,
  },
  {
    id: 'risk',
    header: 'Risk',
    min: 88,
    grow: 0,
    phone: 'meta',
    cell: ({ risk }) => <RiskBadge risk={risk} />,
  },
  {
    id: 'seen',
    header: 'Last act',
    min: 104,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ lastEventAt }) => (
      <RelativeTime at={lastEventAt} none="never" className="text-muted" />
    ),
  },
];

export function LeaderboardPage() {
  const { top } = route.useSearch();
  const navigate = route.useNavigate();
  const hold = useHold();
  const leads = useQuery(leaderboardQuery(Number(top)));
  const stages = useQuery(byStageQuery);
  useLiveQueries(['leadUpdated', 'scoreMutation'], [keys.leaderboard.all], { hold });

  const rows = leads.data?.leads.map((lead, index) => ({ ...lead, rank: index + 1 })) ?? [];
  return (
    <div className="flex min-h-full flex-col pb-6">
      <PageHeader
        title="Leaderboard"
        description="The highest scores right now, and how far leads get."
        actions={
          <Segments
            label="How many"
            value={top}
            choices={SIZES.map((size) => ({ value: size, label: `Top ${size}` }))}
            onChange={(size) => void navigate({ search: { top: size }, replace: true })}
          />
        }
      />
      <div className="flex flex-col gap-4 px-4 md:px-6">
        <StageFunnel query={stages} />
        {/* The reader's pointer keeps the ranks where they are. */}
        <div {...hold.props}>
          <Card
            flush
            title="Top leads"
            aside={
              hold.waiting && (
                <button
                  type="button"
                  className="text-xs font-medium text-accent-text underline underline-offset-2"
                  onClick={hold.release}
                >
                  Show the new order
                </button>
              )
            }
          >
            {leads.isError && leads.data === undefined ? (
              <ErrorState
                error={leads.error}
                title="The leaderboard can’t be shown"
                onRetry={() => void leads.refetch()}
              />
            ) : (
              <DataTable
                label="Top leads"
                rows={rows}
                rowKey={(lead) => lead.id}
                columns={COLUMNS}
                loading={leads.isPending ? 10 : false}
                onOpen={(lead) => void navigate({ href: `/leads/${lead.id}` })}
                empty={
                  <EmptyState
                    icon={Trophy}
                    title="Nobody has a score yet"
                    action={
                      <Button
                        kind="primary"
                        onClick={() => void navigate({ href: '/integrations' })}
                      >
                        Send the first event
                      </Button>
                    }
                  >
                    Leads stand here in the order of their scores as soon as events come in.
                  </EmptyState>
                }
              />
            )}
          </Card>
        </div>
      </div>
    </div>
  );
}
