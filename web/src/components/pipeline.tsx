import { Check, CircleDashed, LoaderCircle } from 'lucide-react';

import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { type PipelineStage, pipelineSteps, pipelineTotal, type Times } from '@/lib/pipeline';

const STAGES: Record<PipelineStage, { label: string; means: string }> = {
  accepted: { label: 'Accepted', means: 'The server has it' },
  durable: { label: 'Durable', means: 'Written to disk; it can’t be lost any more' },
  claimed: { label: 'Claimed', means: 'A scorer has taken it' },
  folded: { label: 'Folded', means: 'The lead’s score was written' },
  delivered: { label: 'Delivered', means: 'Open pages were told' },
};

/** The way of one event through the server, with what each stage took. */
export function Pipeline({
  times,
  stopped,
  className,
}: {
  times: Times;
  /** Why it doesn't go on, where it doesn't. */
  stopped?: string | null;
  className?: string;
}) {
  const steps = pipelineSteps(times);
  const total = pipelineTotal(steps);
  // Once it is scored, only pages that were open have been told.
  const goesOn = stopped == null && times.scoredAt === null;
  return (
    <div className={className}>
      <ol aria-label="Pipeline" className="flex flex-col">
        {steps.map(({ stage, at, took, since, state }) => {
          const told = say(state, took, stage === 'accepted', stopped != null, times);
          return (
            <li
              key={stage}
              title={at === null ? STAGES[stage].means : `${STAGES[stage].means}: ${at}`}
              className="grid h-8 grid-cols-[16px_72px_1fr_88px] items-center gap-2.5 text-sm"
            >
              <Mark state={state === 'waits' && !goesOn ? 'ahead' : state} />
              <span className={cn(state === 'done' ? 'font-medium' : 'text-muted')}>
                {STAGES[stage].label}
              </span>
              <span aria-hidden className="relative h-1.5 rounded-full bg-subtle">
                {since !== null && total > 0 && (
                  <span
                    className="absolute inset-y-0 rounded-full bg-accent"
                    style={{
                      left: `min(${((since - (took ?? 0)) / total) * 100}%, calc(100% - 3px))`,
                      width: `max(${((took ?? 0) / total) * 100}%, 3px)`,
                    }}
                  />
                )}
              </span>
              <span
                className={cn(
                  'text-right text-xs whitespace-nowrap tabular',
                  state === 'done' ? '' : 'text-muted',
                )}
              >
                {told}
              </span>
            </li>
          );
        })}
      </ol>
      <p className="mt-2 flex justify-between gap-3 border-t border-line pt-2 text-xs text-muted">
        <span>{stopped ?? 'From accepted to the last stage, as the server measured it'}</span>
        <span className="font-medium whitespace-nowrap text-ink tabular">
          {format.duration(total)}
        </span>
      </p>
    </div>
  );
}

function say(
  state: 'done' | 'waits' | 'ahead' | 'unknown',
  took: number | null,
  first: boolean,
  stopped: boolean,
  times: Times,
): string {
  if (state === 'done') return first ? format.time(times.receivedAt) : `+${format.duration(took)}`;
  if (state === 'unknown') return 'not recorded';
  if (state === 'ahead' || stopped) return format.NONE;
  // Told singly only to pages that are open at that moment.
  return times.scoredAt === null ? 'waiting' : 'no page open';
}

function Mark({ state }: { state: 'done' | 'waits' | 'ahead' | 'unknown' }) {
  if (state === 'done') return <Check aria-hidden className="size-4 text-good-text" />;
  if (state === 'waits')
    return <LoaderCircle aria-hidden className="size-4 animate-spin text-muted" />;
  return <CircleDashed aria-hidden className="size-4 text-faint" />;
}
