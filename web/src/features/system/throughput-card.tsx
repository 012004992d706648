import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { throughputQuery } from '@/api/figures';
import { Segments } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { type ChartSeries, TimeChart } from '@/components/ui/time-chart';
import { count, date, exactTime } from '@/lib/format';

import type { PERIODS } from './view';

type Period = (typeof PERIODS)[number];

const CHOICES: { value: Period; label: string }[] = [
  { value: '24', label: '24 hours' },
  { value: '168', label: '7 days' },
  { value: '720', label: '30 days' },
];

/** Events that came in and changes of scores that they made. */
export function ThroughputCard({
  hours,
  onChange,
}: {
  hours: Period;
  onChange: (hours: Period) => void;
}) {
  const by = hours === '720' ? 'day' : 'hour';
  const { data, error, isError, refetch } = useQuery({
    ...throughputQuery(Number(hours), by),
    refetchInterval: 30_000,
  });
  const { times, series } = useMemo(() => {
    const found = data?.points ?? [];
    const shown: ChartSeries[] = [
      { name: 'Events', color: 'accent', kind: 'area', values: found.map((one) => one.events) },
      {
        name: 'Score changes',
        color: 'qualified',
        kind: 'line',
        values: found.map((one) => one.mutations),
      },
    ];
    return { times: found.map((one) => new Date(one.from).getTime()), series: shown };
  }, [data]);
  const events = data?.points.reduce((sum, one) => sum + one.events, 0) ?? 0;
  return (
    <Card
      title="Throughput"
      aside={<Segments label="Period" value={hours} choices={CHOICES} onChange={onChange} />}
    >
      {data === undefined ? (
        isError ? (
          <ErrorState error={error} className="py-6" onRetry={() => void refetch()} />
        ) : (
          <Loading label="The throughput is loading">
            <Skeleton className="h-[220px]" />
          </Loading>
        )
      ) : (
        <>
          <p className="mb-2 text-xs text-muted">
            {count(events, 'event')} {by === 'hour' ? 'by the hour' : 'by the day'}
          </p>
          <TimeChart
            label={`Events and score changes per ${by}`}
            unit={`per ${by}`}
            times={times}
            series={series}
            height={220}
            atLeast={5}
            showTime={by === 'hour' ? exactTime : date}
          />
        </>
      )}
    </Card>
  );
}
