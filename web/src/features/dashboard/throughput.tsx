import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { throughputQuery } from '@/api/figures';
import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { Segments } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { TimeChart } from '@/components/ui/time-chart';
import * as format from '@/lib/format';

import { type Period, PERIOD_NAMES, PERIODS } from './view';

const HEIGHT = 240;

/** Events received and scored, by the hour or the day. */
export function Throughput({
  period,
  onPeriod,
}: {
  period: Period;
  onPeriod: (period: Period) => void;
}) {
  const { hours, by } = PERIODS[period];
  const { data, error, refetch } = useQuery(throughputQuery(hours, by));
  useLiveQueries(['newEvent', 'scoreMutation'], [keys.analytics.part('throughput', { hours, by })]);
  const times = useMemo(() => data?.points.map(({ from }) => Date.parse(from)) ?? [], [data]);
  const series = useMemo(
    () => [
      {
        name: 'Events',
        color: 'accent',
        kind: 'area' as const,
        values: data?.points.map(({ events }) => events) ?? [],
      },
      {
        name: 'Score changes',
        color: 'qualified',
        values: data?.points.map(({ mutations }) => mutations) ?? [],
      },
    ],
    [data],
  );
  return (
    <Card
      title="Throughput"
      aside={
        <Segments
          label="Period"
          value={period}
          onChange={onPeriod}
          choices={PERIOD_NAMES.map((value) => ({ value, label: PERIODS[value].label }))}
        />
      }
    >
      {data !== undefined ? (
        <TimeChart
          label={`Events and score changes per ${by}`}
          times={times}
          series={series}
          unit={`per ${by}`}
          height={HEIGHT}
          atLeast={10}
          {...(by === 'day' && { showTime: format.date })}
        />
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading label="The chart is loading">
          <Skeleton className="h-[264px]" />
        </Loading>
      )}
    </Card>
  );
}
