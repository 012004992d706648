import { queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type Event = components['schemas']['Event'];
export type EventDetail = components['schemas']['EventDetail'];
export type EventPage = components['schemas']['EventList'];
export type SentEvent = components['schemas']['SentEvent'];
export type Simulated = components['schemas']['Simulated'];

/** Which events a list is about, as the call names it. */
export type EventFilters = {
  type?: string;
  leadId?: string;
  sessionId?: string;
  from?: string;
  to?: string;
};

/** So many events are asked for at once, however fast they come. */
export const EVENTS_PAGE = 100;

function page(filters: EventFilters, cursor: string | null, signal: AbortSignal) {
  const query = { ...filters, limit: EVENTS_PAGE, ...(cursor !== null && { cursor }) };
  return answer(client.GET('/api/events', { params: { query }, signal }));
}

/** The newest events. */
export const eventsQuery = (filters: EventFilters) =>
  queryOptions({
    queryKey: keys.events.list(filters),
    queryFn: ({ signal }) => page(filters, null, signal),
  });

/** What stands behind a place in the list; it doesn't change any more. */
export const olderEventsQuery = (filters: EventFilters, start: string | undefined) => ({
  queryKey: [...keys.events.all, 'older', filters, start] as const,
  queryFn: ({ pageParam, signal }: { pageParam: string; signal: AbortSignal }) =>
    page(filters, pageParam, signal),
  initialPageParam: start ?? '',
  getNextPageParam: (last: EventPage) => last.nextCursor,
  enabled: start !== undefined,
  staleTime: Infinity,
});

/** An event that waits is asked after until it is scored and has been told; for so long at most. */
const WATCHED = 20_000;

/** Is there more to come about an event? */
export function isUnderWay(event: EventDetail, now: number): boolean {
  if (event.status === 'held' || event.status === 'excluded') return false;
  if (event.status === 'queued') return true;
  const { scoredAt, deliveredAt } = event.pipeline;
  if (deliveredAt !== null || scoredAt === null) return false;
  return now - Date.parse(scoredAt) < 3_000;
}

/** One event and its way; watched closely while it is new. */
export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: keys.events.one(id),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/events/{event_id}', { params: { path: { event_id: id } }, signal })),
    refetchInterval: ({ state: { data } }) => {
      if (data === undefined || !isUnderWay(data, Date.now())) return false;
      return Date.now() - Date.parse(data.receivedAt) < WATCHED ? 300 : 2_000;
    },
  });

/** Types of events that have come, the most frequent first. */
export const seenTypesQuery = queryOptions({
  queryKey: keys.analytics.part('types'),
  queryFn: async ({ signal }) => {
    const { eventsByType } = await answer(client.GET('/api/analytics/dashboard', { signal }));
    return eventsByType.map(({ eventType }) => eventType);
  },
  staleTime: 60_000,
});

/** The model in force: what events are worth, and where stages begin. */
export const modelInForceQuery = queryOptions({
  queryKey: keys.model.part('in-force'),
  queryFn: ({ signal }) => answer(client.GET('/api/model', { signal })),
  staleTime: 30_000,
});

/** Sends an event as somebody trusted; answers our id of it. */
export function simulate(event: SentEvent): Promise<Simulated> {
  return answer(client.POST('/api/simulator/events', { body: event }));
}

/** What a lead is called. */
export const leadNameQuery = (id: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'name'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads/{lead_id}', { params: { path: { lead_id: id } }, signal })),
  });
