import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { type EventDetail, eventQuery, modelInForceQuery } from '@/api/events';
import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { EventStatus, TestBadge } from '@/components/event-status';
import { Pipeline } from '@/components/pipeline';
import { WhatItDid } from '@/components/what-it-did';
import { Badge } from '@/components/ui/badge';
import { Sheet } from '@/components/ui/dialog';
import { EventIcon } from '@/components/ui/event-icon';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { CodeBlock, CopyButton } from '@/components/ui/text';
import { exactTime } from '@/lib/format';

import { LeadLink, Source } from './columns';

/** One event beside the list. */
export function EventDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(eventQuery(id));
  useLiveQueries(['newEvent'], [keys.events.one(id)], {
    when: (message) => 'id' in message && message.id === id,
  });
  return (
    <Sheet
      open
      beside
      onClose={onClose}
      title={data === undefined ? 'Event' : `Event ${data.eventType}`}
      header={
        data && (
          <span className="flex min-w-0 items-center gap-2">
            <EventIcon type={data.eventType} />
            <span className="truncate font-semibold" title={data.eventType}>
              {data.eventType}
            </span>
            <EventStatus status={data.status} />
            {data.test && <TestBadge />}
          </span>
        )
      }
    >
      {data !== undefined ? (
        <Content event={data} />
      ) : error ? (
        <ErrorState error={error} title="The event can’t be shown" onRetry={() => void refetch()} />
      ) : (
        <Loading label="The event is loading">
          <div className="flex flex-col gap-3 p-4">
            <Skeleton className="h-5 w-2/3" />
            <Skeleton className="h-5 w-1/2" />
            <Skeleton className="h-40" />
            <Skeleton className="h-56" />
          </div>
        </Loading>
      )}
    </Sheet>
  );
}

function Content({ event }: { event: EventDetail }) {
  const model = useQuery(modelInForceQuery);
  const stopped =
    event.status === 'held'
      ? 'Held: its lead sends more than a lead can'
      : event.status === 'excluded'
        ? 'Discarded: it is not scored'
        : null;
  return (
    <div className="flex flex-col divide-y divide-line">
      <dl className="grid grid-cols-[92px_1fr] gap-x-3 gap-y-2 p-4 text-sm">
        <Line name="Lead">
          <LeadLink event={event} />
        </Line>
        <Line name="Source">
          <Source trusted={event.trusted} />
        </Line>
        <Line name="Happened">
          {exactTime(event.timestamp)}
          {event.originalTimestamp !== null && (
            <Badge
              tone="warn"
              className="ml-2"
              title="The sender’s clock was wrong, or the time made no sense"
            >
              corrected
            </Badge>
          )}
        </Line>
        {event.originalTimestamp !== null && (
          <Line name="As sent">{exactTime(event.originalTimestamp)}</Line>
        )}
        <Line name="Received">{exactTime(event.receivedAt)}</Line>
        {event.sessionId !== null && (
          <Line name="Session">
            <Link
              to="/events"
              search={{ session: event.sessionId, event: event.id }}
              className="block truncate text-accent-text underline underline-offset-2"
              title={event.sessionId}
            >
              {event.sessionId}
            </Link>
          </Line>
        )}
        <Line name="Id">
          <span className="flex min-w-0 items-center gap-1">
            <span className="truncate font-mono text-xs" title={event.id}>
              {event.id}
            </span>
            <CopyButton text={event.id} label="Copy the id" />
          </span>
        </Line>
      </dl>
      <Part title="What it did">
        <WhatItDid event={event} model={model.data} />
      </Part>
      <Part title="Its way through the server">
        <Pipeline times={event.pipeline} stopped={stopped} />
      </Part>
      <Part title="As JSON">
        <CodeBlock label="Event as JSON" code={JSON.stringify(asSent(event), null, 2)} />
      </Part>
    </div>
  );
}

/** The event itself, without what the page shows above. */
function asSent(event: EventDetail) {
  return Object.fromEntries(
    Object.entries(event).filter(([name]) => !['pipeline', 'scored', 'lead'].includes(name)),
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="py-0.5 text-muted">{name}</dt>
      <dd className="min-w-0 py-0.5">{children}</dd>
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3 p-4">
      <h2 className="text-sm font-semibold">{title}</h2>
      {children}
    </section>
  );
}
