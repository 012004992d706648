import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type Figures = components['schemas']['Dashboard'];
export type QueueHealth = components['schemas']['QueueHealth'];
export type Mutation = components['schemas']['Mutation'];

export const figuresQuery = queryOptions({
  queryKey: keys.analytics.part('dashboard'),
  queryFn: ({ signal }) => answer(client.GET('/api/analytics/dashboard', { signal })),
});

export const throughputQuery = (hours: number, by: 'hour' | 'day') =>
  queryOptions({
    queryKey: keys.analytics.part('throughput', { hours, by }),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/analytics/throughput', { params: { query: { hours, by } }, signal })),
    placeholderData: keepPreviousData,
  });

export const queueHealthQuery = queryOptions({
  queryKey: keys.analytics.part('queue-health'),
  queryFn: ({ signal }) => answer(client.GET('/api/analytics/queue-health', { signal })),
  refetchInterval: 10_000,
});

export const mutationsQuery = (limit: number) =>
  queryOptions({
    queryKey: keys.analytics.part('score-mutations', { limit }),
    queryFn: ({ signal }) =>
      answer(
        client.GET('/api/analytics/score-mutations', { params: { query: { limit } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

/** Whom to call now: open leads, the most urgent next action first. */
export const urgentQuery = (limit: number) =>
  queryOptions({
    queryKey: keys.leads.list({ sort: 'urgency', limit }),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads', { params: { query: { sort: 'urgency', limit } }, signal })),
    placeholderData: keepPreviousData,
  });
