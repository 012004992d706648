import { ArrowRight } from 'lucide-react';

import type { EventDetail } from '@/api/events';
import type { components } from '@/api/schema';
import { Badge, Delta, StageBadge } from '@/components/ui/badge';
import { points } from '@/lib/format';
import { stageOf, silentRules } from '@/lib/scored';

type Model = components['schemas']['Model'];

/** Whether and how an event scored: before and after, by which rules, and which gave nothing. */
export function WhatItDid({ event, model }: { event: EventDetail; model: Model | undefined }) {
  const { scored } = event;
  if (scored === null) {
    return <p className="text-sm text-muted">{notScored(event.status)}</p>;
  }
  const before = model === undefined ? null : stageOf(scored.oldScore, model.stages);
  const silent = model === undefined ? [] : silentRules(event, model.rules);
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="text-2xl font-semibold tracking-tight tabular">
          <span className="sr-only">Score before: </span>
          <span className="text-muted">{points(scored.oldScore)}</span>
          <ArrowRight aria-hidden className="mx-1.5 inline size-4 text-muted" />
          <span className="sr-only">and after: </span>
          {points(scored.newScore)}
        </span>
        <Delta value={scored.delta} />
        {scored.stage !== null && (
          <span className="inline-flex items-center gap-1.5">
            {before !== null && before !== scored.stage && (
              <>
                <StageBadge stage={before} />
                <ArrowRight aria-label="became" className="size-3.5 text-muted" />
              </>
            )}
            <StageBadge stage={scored.stage} />
          </span>
        )}
      </p>
      <ul aria-label="Rules" className="flex flex-col">
        {scored.rules.map((rule) => {
          const full = model?.rules.find(({ id }) => id === rule.id);
          const capped =
            full !== undefined &&
            scored.modelVersion === model?.version &&
            Math.abs(rule.points) < Math.abs(full.points);
          return (
            <li
              key={rule.id}
              className="flex min-h-8 items-center justify-between gap-3 border-t border-line py-1"
            >
              <span className="flex min-w-0 items-center gap-2">
                <span className="truncate" title={rule.name}>
                  {rule.name}
                </span>
                {capped && (
                  <Badge
                    tone="warn"
                    title={`Without its cap it gives ${points(full.points)} points`}
                  >
                    capped from {points(full.points)}
                  </Badge>
                )}
              </span>
              <Delta value={rule.points} />
            </li>
          );
        })}
        {silent.map(({ id, name, why }) => (
          <li
            key={id}
            className="flex min-h-8 items-center justify-between gap-3 border-t border-line py-1 text-muted"
          >
            <span className="truncate" title={name}>
              {name}
            </span>
            <span className="text-right text-xs">{why}</span>
          </li>
        ))}
      </ul>
      {scored.rules.length === 0 && silent.length === 0 && (
        <p className="text-muted">
          No rule knows <span className="font-mono text-xs">{event.eventType}</span>: it is kept,
          and counts as soon as one does.
        </p>
      )}
    </div>
  );
}

function notScored(status: EventDetail['status']): string {
  if (status === 'held') return 'Not scored: its lead sends more than a lead can.';
  if (status === 'excluded') return 'Not scored: it was discarded.';
  return status === 'queued' ? 'Not scored yet: it waits for a scorer.' : 'It moved no score.';
}
