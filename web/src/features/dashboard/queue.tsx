import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Clock } from 'lucide-react';

import type { ReactNode } from 'react';

import { queueHealthQuery } from '@/api/figures';
import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { Num } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

import { queueState } from './queue-state';

const LOOKS = {
  good: { tone: 'good', icon: CircleCheck },
  busy: { tone: 'warn', icon: Clock },
  bad: { tone: 'danger', icon: CircleAlert },
} as const;

/** What waits to be scored, and what was given up. */
export function Queue() {
  const { data, error, refetch } = useQuery(queueHealthQuery);
  useLiveQueries(['newEvent', 'scoreMutation'], [keys.analytics.part('queue-health')]);
  if (data === undefined) {
    return (
      <Card title="Queue">
        {error ? (
          <ErrorState error={error} className="py-4" onRetry={() => void refetch()} />
        ) : (
          <Loading label="The queue is loading">
            <Skeleton className="h-31" />
          </Loading>
        )}
      </Card>
    );
  }
  const { how, told } = queueState(data);
  const { tone, icon } = LOOKS[how];
  return (
    <Card
      title="Queue"
      aside={
        <Badge tone={tone} icon={icon}>
          {told}
        </Badge>
      }
    >
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 text-sm">
        <Line label="Waiting">
          <Num value={data.waiting} />
        </Line>
        <Line label="Oldest">
          {data.waiting === 0 ? format.NONE : format.duration(data.oldestSeconds * 1000)}
        </Line>
        <Line label="Scorers">
          {data.workers} of {data.maxWorkers}
        </Line>
        <Line label="Trying again">
          <Num value={data.retrying} />
        </Line>
        <Line label="Scored in all">
          <Num value={data.completed} />
        </Line>
        <Line label="Dead letters">
          <Link
            to="/system"
            className={cn('hover:underline', data.failed > 0 && 'text-danger-text underline')}
          >
            <Num value={data.failed} />
          </Link>
        </Line>
      </dl>
    </Card>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-2">
      <dt className="truncate text-muted">{label}</dt>
      <dd className="font-medium tabular">{children}</dd>
    </div>
  );
}
