import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Lock } from 'lucide-react';

import { systemHealthQuery, type SystemHealth } from '@/api/operations';
import { useMay, useRefusal } from '@/api/session';
import { Badge } from '@/components/ui/badge';
import { Card, PageHeader } from '@/components/ui/layout';
import { ErrorState, Loading, Notice } from '@/components/ui/states';
import { Tabs } from '@/components/ui/tabs';
import { cn } from '@/lib/cn';
import { number } from '@/lib/format';

import { Conflicts } from './conflicts';
import { FailedJobs } from './failed-jobs';
import { HeldLeads } from './held-leads';
import { PartsCard } from './parts-card';
import { QueueCard, QueueSkeleton, WorkersCard } from './queue-card';
import { ThroughputCard } from './throughput-card';
import { VerifyCard } from './verify-card';

const route = getRouteApi('/shell/system');

export function SystemPage() {
  const { hours } = route.useSearch();
  const navigate = route.useNavigate();
  const operates = useMay()('operate');
  const system = useQuery({ ...systemHealthQuery, enabled: operates });
  return (
    <div className="flex min-h-full flex-col pb-6">
      <PageHeader
        title="System"
        description="Whether everything works, what waits, and what went wrong."
      />
      <div className="flex flex-col gap-4 px-4 md:px-6">
        <PartsCard system={system.data} />
        {operates ? (
          system.data === undefined ? (
            system.isError ? (
              <Card>
                <ErrorState
                  error={system.error}
                  title="The state of the project can’t be shown"
                  className="py-6"
                  onRetry={() => void system.refetch()}
                />
              </Card>
            ) : (
              <Loading label="The state of the project is loading">
                <QueueSkeleton />
              </Loading>
            )
          ) : (
            <QueueCard system={system.data} />
          )
        ) : (
          <NotOperating />
        )}
        <div className={cn('grid items-start gap-4', operates && 'xl:grid-cols-[3fr_2fr]')}>
          <ThroughputCard
            hours={hours}
            onChange={(next) =>
              void navigate({ search: (now) => ({ ...now, hours: next }), replace: true })
            }
          />
          {system.data && <WorkersCard system={system.data} />}
        </div>
        {operates && (
          <>
            <Trouble system={system.data} />
            <VerifyCard />
          </>
        )}
      </div>
    </div>
  );
}

function NotOperating() {
  const why = useRefusal()('operate');
  return (
    <Notice icon={Lock}>
      Queue, scorers, dead letters, conflicts and the check of all scores are for those who look
      after the project. {why}
    </Notice>
  );
}

/** What needs somebody to look at it. */
function Trouble({ system }: { system: SystemHealth | undefined }) {
  const { tab, state, open } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (id: string | undefined) =>
    void navigate({ search: (now) => ({ ...now, open: id }), replace: id === undefined });
  return (
    <Card flush>
      <Tabs
        label="What needs somebody to look at it"
        value={tab}
        onChange={(next) =>
          void navigate({ search: (now) => ({ ...now, tab: next, open: undefined }) })
        }
        tabs={[
          {
            value: 'failed',
            label: <Counted label="Dead letters" tone="danger" value={system?.queue.failed} />,
            content: (
              <FailedJobs
                state={state}
                open={open}
                onState={(next) =>
                  void navigate({
                    search: (now) => ({ ...now, state: next, open: undefined }),
                    replace: true,
                  })
                }
                onOpen={show}
              />
            ),
          },
          {
            value: 'held',
            label: <Counted label="Held back" tone="warn" value={system?.heldLeads} />,
            content: <HeldLeads />,
          },
          {
            value: 'conflicts',
            label: <Counted label="Conflicts" tone="neutral" value={system?.conflicts} />,
            content: <Conflicts open={open} onOpen={show} />,
          },
        ]}
      />
    </Card>
  );
}

function Counted({
  label,
  value,
  tone,
}: {
  label: string;
  value: number | undefined;
  tone: 'danger' | 'warn' | 'neutral';
}) {
  return (
    <span className="inline-flex items-center gap-1.5">
      {label}
      {value !== undefined && value > 0 && <Badge tone={tone}>{number(value)}</Badge>}
    </span>
  );
}
