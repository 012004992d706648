import { useQuery } from '@tanstack/react-query';
import { ChartSpline } from 'lucide-react';
import { useMemo } from 'react';

import { explanationQuery, ledgerQuery, modelQuery } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { TimeChart } from '@/components/ui/time-chart';
import * as format from '@/lib/format';
import { useNow } from '@/lib/hooks';

import { scoreSeries } from './series';

type Props = {
  lead: Lead;
  /** The instant that is looked at; none: now. */
  at: string | undefined;
  onPick: (at: string) => void;
};

/** The score over time, with what the lead did; a click asks why it was so then. */
export function ScoreChart({ lead, at, onPick }: Props) {
  const ledger = useQuery(ledgerQuery(lead.id));
  const model = useQuery(modelQuery);
  const explanation = useQuery(explanationQuery(lead.id));
  // To the minute: a chart that is drawn anew every few seconds helps nobody.
  const now = Math.floor(useNow() / 60_000) * 60_000;

  const series = useMemo(() => {
    if (ledger.data === undefined || model.data === undefined) return null;
    return scoreSeries(ledger.data, {
      now,
      decay: model.data.decay,
      modelVersion: model.data.version,
      next: explanation.data?.next ?? null,
      name: format.words,
    });
  }, [ledger.data, model.data, explanation.data, now]);
  const lines = useMemo(
    () =>
      series === null
        ? []
        : ([
            { name: 'Score', color: 'accent', values: series.past, kind: 'steps' },
            {
              name: 'Decay to come',
              color: 'faint',
              values: series.open,
              kind: 'steps',
              dashed: true,
            },
          ] as const),
    [series],
  );
  const levels = useMemo(
    () =>
      (model.data?.stages ?? [])
        .filter(({ name }) => name !== 'cold')
        .map(({ name, from }) => ({ value: from, label: format.words(name), color: name })),
    [model.data],
  );

  const failed = ledger.isError ? ledger : model.isError ? model : null;
  if (failed !== null && series === null) {
    return (
      <ErrorState
        error={failed.error}
        title="The chart can’t be shown"
        onRetry={() => void failed.refetch()}
      />
    );
  }
  if (series === null) {
    return (
      <Loading label="The chart is loading">
        <Skeleton className="h-55 w-full" />
      </Loading>
    );
  }
  if (series.times.length === 0) {
    return (
      <EmptyState icon={ChartSpline} title="No score yet" className="py-8">
        The score is drawn here from the lead’s first act on.
      </EmptyState>
    );
  }
  return (
    <TimeChart
      label={`Score of ${lead.name ?? lead.email ?? 'this lead'} over time`}
      times={series.times}
      series={lines}
      marks={series.marks}
      levels={levels}
      show={format.points}
      unit="points"
      atLeast={10}
      height={220}
      picked={at === undefined ? null : Date.parse(at)}
      onPick={(picked) => onPick(new Date(Math.min(picked, Date.now())).toISOString())}
    />
  );
}
