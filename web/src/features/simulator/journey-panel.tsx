import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, CircleDashed, LoaderCircle, Play, Square } from 'lucide-react';

import { messageOf } from '@/api/errors';
import { modelInForceQuery } from '@/api/events';
import { useRefusal } from '@/api/session';
import { Delta, StageBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Checkbox } from '@/components/ui/form';
import { Avatar } from '@/components/ui/person';
import { Notice } from '@/components/ui/states';
import { cn } from '@/lib/cn';
import { count, points } from '@/lib/format';
import { leadPath } from '@/lib/paths';

import { JOURNEYS, type Journey, type Played } from './journeys';
import type { Playing } from './use-journey';

type Props = {
  playing: Playing | null;
  test: boolean;
  onTest: (test: boolean) => void;
  onStart: (journey: Journey) => void;
  onStop: () => void;
  onOpen: (eventId: string) => void;
};

/** Written stories of one person, sent step by step. */
export function JourneyPanel({ playing, test, onTest, onStart, onStop, onOpen }: Props) {
  const refused = useRefusal()('events.send');
  const runs = playing?.state === 'runs';
  return (
    <div className="flex flex-col gap-4">
      <p className="text-sm text-muted">
        Each plays somebody new, with days between the steps in the story and a second between them
        here.
      </p>
      <ul aria-label="Journeys" className="flex flex-col gap-2">
        {JOURNEYS.map((journey) => {
          const own = playing?.journey.id === journey.id;
          return (
            <li
              key={journey.id}
              className={cn('rounded-lg border border-line', own && 'border-line-strong')}
            >
              <div className="flex items-center gap-3 p-3">
                <div className="min-w-0 flex-1">
                  <h2 className="text-sm font-semibold">{journey.title}</h2>
                  <p className="text-xs text-muted">
                    {journey.says} {count(journey.steps.length, 'event')}.
                  </p>
                </div>
                {own && runs ? (
                  <Button icon={Square} onClick={onStop}>
                    Stop
                  </Button>
                ) : (
                  <Button
                    icon={Play}
                    aria-label={`Play “${journey.title}”`}
                    disabled={refused !== null || runs}
                    title={refused ?? undefined}
                    onClick={() => onStart(journey)}
                  >
                    Play
                  </Button>
                )}
              </div>
              {own && <Steps playing={playing} onOpen={onOpen} />}
            </li>
          );
        })}
      </ul>
      <Checkbox
        checked={test}
        label="Mark as a test"
        hint="The lead then stands in no list and no figure."
        disabled={runs}
        onChange={onTest}
      />
      {refused !== null && <p className="text-xs text-muted">{refused}</p>}
    </div>
  );
}

function Steps({ playing, onOpen }: { playing: Playing; onOpen: (eventId: string) => void }) {
  const { journey, who, played, state, error } = playing;
  const model = useQuery(modelInForceQuery);
  const byStep = new Map(played.map((one) => [one.step, one]));
  const leadId = played.findLast(({ event }) => event !== null)?.event?.leadId;
  const known = new Set(model.data?.rules.map(({ eventType }) => eventType));
  const unknown = journey.steps.filter(({ event }) => !known.has(event));
  return (
    <div className="border-t border-line">
      <div className="flex flex-wrap items-center gap-2 px-3 py-2 text-sm">
        <Avatar size="sm" person={who} />
        <span className="min-w-0 flex-1 truncate" title={who.email}>
          {who.name} <span className="text-muted">· {who.email}</span>
        </span>
        <span role="status" className="text-xs text-muted">
          {
            {
              runs: `Step ${Math.min(Math.max(byStep.size, 1), journey.steps.length)} of ${journey.steps.length}`,
              done: 'Played',
              stopped: 'Stopped',
              failed: 'Failed',
            }[state]
          }
        </span>
      </div>
      <ol aria-label="Steps" className="flex flex-col">
        {journey.steps.map((step, index) => (
          <StepLine
            key={index}
            says={step.says}
            type={step.event}
            played={byStep.get(index)}
            waits={state === 'runs' && index === byStep.size}
            onOpen={onOpen}
          />
        ))}
      </ol>
      {state === 'failed' && (
        <Notice tone="danger" className="m-3">
          {messageOf(error)}
        </Notice>
      )}
      {model.data !== undefined && unknown.length === journey.steps.length && (
        <Notice className="m-3">
          No rule of this project knows any of these events, so that the score stays as it is.
        </Notice>
      )}
      {leadId !== undefined && (
        <div className="border-t border-line px-3 py-2">
          <Button asChild size="sm">
            <Link to={leadPath(leadId)}>Open the lead</Link>
          </Button>
        </div>
      )}
    </div>
  );
}

function StepLine({
  says,
  type,
  played,
  waits,
  onOpen,
}: {
  says: string;
  type: string;
  played: Played | undefined;
  waits: boolean;
  onOpen: (eventId: string) => void;
}) {
  const scored = played?.event?.scored ?? null;
  const id = played?.sent.id ?? null;
  const Icon = played?.event ? Check : played === undefined && !waits ? CircleDashed : LoaderCircle;
  return (
    <li className="flex min-h-10 items-center gap-2.5 border-t border-line px-3 py-1.5 text-sm">
      <Icon
        aria-hidden
        className={cn(
          'size-4 shrink-0',
          Icon === Check && 'text-good-text',
          Icon === CircleDashed && 'text-faint',
          Icon === LoaderCircle && 'animate-spin text-muted',
        )}
      />
      <span className="min-w-0 flex-1">
        <span className={cn('block truncate', played === undefined && 'text-muted')}>{says}</span>
        {id === null ? (
          <span className="block truncate font-mono text-2xs text-muted">{type}</span>
        ) : (
          <button
            type="button"
            className="block max-w-full truncate rounded-sm font-mono text-2xs text-accent-text hover:underline hover:underline-offset-2"
            onClick={() => onOpen(id)}
          >
            {type}
          </button>
        )}
      </span>
      {scored !== null && (
        <span className="flex shrink-0 items-center gap-2">
          <Delta value={scored.delta} />
          <span className="w-10 text-right font-semibold tabular">{points(scored.newScore)}</span>
          {scored.stage !== null && (
            <span className="flex w-22">
              <StageBadge stage={scored.stage} />
            </span>
          )}
        </span>
      )}
    </li>
  );
}
