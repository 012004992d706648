import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Radio, Send } from 'lucide-react';
import { useState } from 'react';

import { ApiError, errorOf, messageOf } from '@/api/errors';
import { type Event, eventsQuery } from '@/api/events';
import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { EventStatus, TestBadge } from '@/components/event-status';
import { Button } from '@/components/ui/button';
import { EventIcon } from '@/components/ui/event-icon';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Notice, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { randomId } from '@/lib/ids';

import { testCall } from './snippets';

const SHOWN = 6;

/** Listens for events, and sends one to try it out. */
export function Arrivals({ host, writeKey }: { host: string; writeKey: string | null }) {
  const newest = useQuery(eventsQuery({}));
  useLiveQueries(['newEvent'], [keys.events.list({})]);
  const [own, setOwn] = useState<string>();
  const sending = useMutation({
    mutationFn: async (key: string) => {
      const eventId = randomId();
      await post(...testCall(host, key, eventId));
      return eventId;
    },
    onSuccess: setOwn,
  });
  const { data, error } = newest;
  const events = data?.events.slice(0, SHOWN) ?? [];
  const arrived = data?.events.find(({ eventId }) => eventId === own);
  return (
    <Card flush title="See it arrive" aside={<Listening any={events.length > 0} />}>
      <div className="flex flex-col gap-3 px-4 pb-4">
        <p className="text-sm text-muted">
          Send a test event from this page, by the same call as in the snippet, or open a page of
          yours: events appear here by themselves.
        </p>
        <div className="flex flex-wrap items-center gap-3">
          <Button
            icon={Send}
            busy={sending.isPending}
            disabled={writeKey === null}
            onClick={() => writeKey !== null && sending.mutate(writeKey)}
          >
            Send a test event
          </Button>
          <span role="status" className="inline-flex items-center gap-1.5 text-sm">
            {own !== undefined &&
              (arrived === undefined ? (
                <span className="text-muted">Sent, waiting for it to arrive…</span>
              ) : (
                <>
                  <CircleCheck aria-hidden className="size-4 text-good-text" />
                  It has arrived.
                </>
              ))}
          </span>
        </div>
        {sending.isError && <Notice tone="danger">{messageOf(sending.error)}</Notice>}
      </div>
      {data === undefined && error ? (
        <ErrorState
          error={error}
          title="Events can’t be listened for"
          onRetry={() => void newest.refetch()}
        />
      ) : newest.isPending ? (
        <Loading label="The newest events are loading">
          {Array.from({ length: 3 }, (_, index) => (
            <div key={index} className="border-t border-line px-4 py-3">
              <Skeleton className="h-4 w-2/3" />
            </div>
          ))}
        </Loading>
      ) : events.length === 0 ? (
        <div className="flex items-center gap-3 border-t border-line px-4 py-5 text-sm">
          <span className="relative flex size-2.5 shrink-0">
            <span className="absolute inset-0 animate-ping rounded-full bg-accent opacity-60 motion-reduce:hidden" />
            <span className="relative size-2.5 rounded-full bg-accent" />
          </span>
          <span>
            <span className="font-medium">Waiting for your first event…</span>
            <span className="block text-muted">This lights up as soon as one comes in.</span>
          </span>
        </div>
      ) : (
        <ul aria-label="Newest events">
          {events.map((event) => (
            <Arrived key={event.id} event={event} own={event.eventId === own} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Arrived({ event, own }: { event: Event; own: boolean }) {
  return (
    <li>
      <Link
        to="/events"
        search={{ event: event.id }}
        className={`flex min-h-10 items-center gap-2.5 border-t border-line px-4 py-1.5 text-sm hover:bg-hover focus-visible:-outline-offset-2 ${own ? 'bg-accent-soft' : ''}`}
      >
        <EventIcon type={event.eventType} />
        <span className="truncate font-medium" title={event.eventType}>
          {event.eventType}
        </span>
        {event.test && <TestBadge />}
        <span className="min-w-0 flex-1 truncate text-muted max-md:hidden">
          {event.lead.name ?? event.lead.email ?? 'Anonymous'}
        </span>
        <span className="ml-auto flex shrink-0 items-center gap-2.5">
          <EventStatus status={event.status} />
          <RelativeTime at={event.receivedAt} className="text-xs text-muted" />
        </span>
      </Link>
    </li>
  );
}

function Listening({ any }: { any: boolean }) {
  return (
    <span className="inline-flex shrink-0 items-center gap-1.5 text-xs text-muted">
      <Radio aria-hidden className="size-3.5" />
      {any ? 'Listening' : 'Nothing yet'}
    </span>
  );
}

// As a website does: without our session, and without the client that has one.
async function post(url: string, init: RequestInit): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    throw new ApiError(0, 'network', 'The server can’t be reached, or a blocker is in the way.');
  }
  if (!response.ok) throw await errorOf(response);
}
