import { useQuery } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, CircleDashed, CircleSlash } from 'lucide-react';

import { healthQuery } from '@/api/health';
import { useLiveState } from '@/api/live';
import { roundTripQuery, type SystemHealth } from '@/api/operations';
import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/layout';
import { duration, exactTime } from '@/lib/format';
import { useNow } from '@/lib/hooks';

import { type Part, partsOf, type PartState } from './parts';

const STATE = {
  up: { label: 'Up', tone: 'good', icon: CircleCheck },
  down: { label: 'Down', tone: 'danger', icon: CircleAlert },
  waiting: { label: 'Asking', tone: 'neutral', icon: CircleDashed },
  off: { label: 'Off', tone: 'neutral', icon: CircleSlash },
} as const satisfies Record<PartState, object>;

/** Each part of the installation: whether it works, how fast it answers, since when it runs. */
export function PartsCard({ system }: { system: SystemHealth | undefined }) {
  const health = useQuery(healthQuery);
  const roundTrip = useQuery(roundTripQuery);
  const live = useLiveState();
  const parts = partsOf({
    health: health.isError ? null : health.data,
    system,
    live,
    roundTrip: roundTrip.isError ? undefined : roundTrip.data,
  });
  return (
    <Card title="Parts" flush>
      <ul className="grid border-t border-line md:auto-cols-fr md:grid-flow-col">
        {parts.map((part) => (
          <PartCell key={part.name} part={part} />
        ))}
      </ul>
    </Card>
  );
}

function PartCell({ part }: { part: Part }) {
  const { name, state, said, latency, since } = part;
  const now = useNow();
  const { label, tone, icon } = STATE[state];
  return (
    <li className="grid min-w-0 grid-cols-[1fr_auto] gap-x-3 gap-y-2 border-line px-4 py-3 not-last:max-md:border-b not-last:md:border-r">
      <div className="min-w-0">
        <p className="text-sm font-medium">{name}</p>
        <p className="truncate text-xs text-muted" title={said}>
          {said === '' ? '\u00a0' : said}
        </p>
      </div>
      <Badge tone={tone} icon={icon}>
        {label}
      </Badge>
      <dl className="col-span-2 flex gap-5 text-xs">
        {latency !== null && (
          <div className="flex gap-1.5">
            <dt className="text-muted">Answers in</dt>
            <dd className="font-medium tabular">{duration(latency)}</dd>
          </div>
        )}
        {since !== null && (
          <div className="flex gap-1.5">
            <dt className="text-muted">{name === 'Live' && state === 'down' ? 'For' : 'Up for'}</dt>
            <dd className="font-medium tabular" title={`since ${exactTime(since)}`}>
              {duration(
                Math.max(1_000, Math.round((now - new Date(since).getTime()) / 1_000) * 1_000),
              )}
            </dd>
          </div>
        )}
        {latency === null && since === null && <div aria-hidden>{'\u00a0'}</div>}
      </dl>
    </li>
  );
}
