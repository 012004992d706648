import { useQuery } from '@tanstack/react-query';

import type { ReactNode } from 'react';

import { type Figures as Known, figuresQuery } from '@/api/figures';
import { Card, Stat } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import * as format from '@/lib/format';

type Shown = {
  label: string;
  value: (figures: Known | Known['previous']) => number | null;
  show: (value: number | null) => string;
  better?: 'less' | 'neither';
  than?: string;
};

const SHOWN: Shown[] = [
  {
    label: 'Events today',
    value: (f) => f.eventsToday,
    show: format.number,
    than: 'vs yesterday, same time',
  },
  { label: 'Events in all', value: (f) => f.totalEvents, show: format.number },
  { label: 'Leads', value: (f) => f.totalLeads, show: format.number },
  { label: 'Identified leads', value: (f) => f.identifiedLeads, show: format.number },
  { label: 'Qualified leads', value: (f) => f.qualifiedLeads, show: format.number },
  { label: 'Average score', value: (f) => f.averageScore, show: format.points },
  {
    label: 'Time to score, typical',
    value: (f) => f.p50LatencyMs,
    show: format.duration,
    better: 'less',
    than: 'vs the 1,000 before',
  },
  {
    label: 'Time to score, slowest 1 %',
    value: (f) => f.p99LatencyMs,
    show: format.duration,
    better: 'less',
    than: 'vs the 1,000 before',
  },
];

/** The figures of the project, each with how it has changed within a day. */
export function Figures() {
  const { data, error, refetch } = useQuery(figuresQuery);
  if (data === undefined && error) {
    return (
      <Card>
        <ErrorState
          error={error}
          title="The figures can’t be shown"
          className="py-4"
          onRetry={() => void refetch()}
        />
      </Card>
    );
  }
  const figures = SHOWN.map(({ label, value, show, better, than = 'vs a day ago' }) => {
    if (data === undefined) return <Skeleton key={label} className="h-20" />;
    const now = value(data);
    return (
      <Stat
        key={label}
        label={label}
        value={show(now)}
        change={format.change(now, value(data.previous))}
        than={than}
        {...(better !== undefined && { better })}
      />
    );
  });
  return (
    <Card>
      {data === undefined ? (
        <Loading label="The figures are loading">
          <Grid>{figures}</Grid>
        </Loading>
      ) : (
        <Grid>{figures}</Grid>
      )}
    </Card>
  );
}

function Grid({ children }: { children: ReactNode }) {
  return (
    <div className="grid grid-cols-2 gap-x-6 gap-y-5 md:grid-cols-4 2xl:grid-cols-8">
      {children}
    </div>
  );
}
