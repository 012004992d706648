import { useQuery } from '@tanstack/react-query';
import { ArrowDownRight, History, Scissors } from 'lucide-react';

import { explanationQuery } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { StageBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { EventIcon } from '@/components/ui/event-icon';
import { ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { useNow } from '@/lib/hooks';

import { type Bar, bars, type Contribution, contributions, nextWords } from './contributions';

type Props = { lead: Lead; at: string | undefined; onNow: () => void };

/** What the score is made of, now or at a picked instant. */
export function Why({ lead, at, onNow }: Props) {
  const { data, error, isError, isPlaceholderData, refetch } = useQuery(
    explanationQuery(lead.id, at),
  );
  const now = useNow();
  if (isError && data === undefined) {
    return (
      <ErrorState
        error={error}
        title="The score can’t be explained"
        onRetry={() => void refetch()}
      />
    );
  }
  if (data === undefined) return <WhySkeleton />;
  const parts = contributions(data);
  const scale = bars(parts.map(({ points }) => points));
  const next = at === undefined ? nextWords(data, now) : null;
  return (
    <div className={cn('flex flex-col gap-3', isPlaceholderData && 'opacity-60')}>
      {at !== undefined && (
        <Notice
          tone="accent"
          icon={History}
          action={
            <Button size="sm" onClick={onNow}>
              Back to now
            </Button>
          }
        >
          As it was on {format.exactTime(at)}
        </Notice>
      )}
      <table className="w-full table-fixed border-collapse text-sm">
        <caption className="sr-only">What the score is made of</caption>
        <colgroup>
          <col />
          <col className="w-16" />
        </colgroup>
        <thead className="sr-only">
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Points</th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part, index) => (
            <PartRow key={part.key} part={part} bar={scale.bars[index]} zero={scale.zero} />
          ))}
        </tbody>
        <tfoot>
          <tr className="border-t border-line">
            <th scope="row" className="py-2.5 text-left font-medium">
              <span className="flex flex-wrap items-center gap-2">
                {parts.length === 0 ? 'No rule has given points yet' : 'Score'}
                <StageBadge stage={data.stage} />
                <span className="text-xs font-normal text-muted">
                  by version {data.modelVersion} of the model
                </span>
              </span>
            </th>
            <td className="py-2.5 text-right font-semibold tabular">{format.points(data.score)}</td>
          </tr>
        </tfoot>
      </table>
      {!data.complete && data.cutsSince !== null && (
        <p className="text-xs text-muted">
          Of what caps cut, only what happened since {format.exactTime(data.cutsSince)} is counted.
        </p>
      )}
      {next !== null && (
        <p className="flex items-start gap-2 text-sm text-muted">
          <ArrowDownRight aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span title={data.next === null ? undefined : format.exactTime(data.next.at)}>
            {next}
          </span>
        </p>
      )}
    </div>
  );
}

const COLORS: Record<Contribution['kind'], string> = {
  rule: 'bg-accent',
  adjustment: 'bg-qualified',
  decay: 'bg-cold',
  bounds: 'bg-warm',
};

function PartRow({ part, bar, zero }: { part: Contribution; bar: Bar | undefined; zero: number }) {
  return (
    <tr>
      <th scope="row" className="py-1.5 pr-3 text-left font-normal">
        <span className="flex min-w-0 items-baseline justify-between gap-2">
          <span className="flex min-w-0 items-center gap-2">
            {part.eventType !== undefined && (
              <EventIcon type={part.eventType} className="size-3.5" />
            )}
            <span className="truncate" title={part.label}>
              {part.label}
            </span>
          </span>
          <span className="shrink-0 text-xs text-muted">{part.detail}</span>
        </span>
        <span aria-hidden className="relative mt-1 block h-1.5 rounded-full bg-subtle">
          {zero > 0 && (
            <span
              className="absolute -inset-y-0.5 w-px bg-line-strong"
              style={{ left: `${zero}%` }}
            />
          )}
          {bar && (
            <span
              className={cn(
                'absolute inset-y-0 min-w-0.5 rounded-full',
                part.points < 0 && part.kind !== 'decay' && part.kind !== 'bounds'
                  ? 'bg-danger'
                  : COLORS[part.kind],
              )}
              style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
            />
          )}
        </span>
        {part.caps !== null && (
          <span className="mt-1 flex items-start gap-1.5 text-xs text-muted">
            <Scissors aria-hidden className="mt-0.5 size-3 shrink-0" />
            {part.caps}
          </span>
        )}
      </th>
      <td className="py-1.5 text-right align-top font-medium tabular">
        {format.delta(part.points)}
      </td>
    </tr>
  );
}

function WhySkeleton() {
  return (
    <Loading label="The explanation is loading">
      <div className="flex flex-col gap-3">
        {[0, 1, 2, 3].map((line) => (
          <div key={line} className="flex flex-col gap-2">
            <Skeleton className="h-3.5 w-2/5" />
            <Skeleton className="h-1.5 w-full" />
          </div>
        ))}
      </div>
    </Loading>
  );
}
