import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type SystemHealth = components['schemas']['SystemHealth'];
export type FailedJob = components['schemas']['FailedJob'];
export type Conflict = components['schemas']['ConflictingCall'];
export type HeldLead = components['schemas']['HeldLead'];
export type VerifyReport = components['schemas']['VerifyReport'];
export type JobState = FailedJob['state'];

const PAGE = 50;
const FIRST = null as string | null;

/** How often a page that is watched asks how things are. */
const WATCHED = 5_000;

export const systemHealthQuery = queryOptions({
  queryKey: keys.admin.part('system-health'),
  queryFn: ({ signal }) => answer(client.GET('/api/admin/system-health', { signal })),
  refetchInterval: WATCHED,
});

/** The time, in milliseconds, from this page to the API and back. */
export const roundTripQuery = queryOptions({
  queryKey: ['round-trip'],
  queryFn: async ({ signal }) => {
    const asked = performance.now();
    await answer(client.GET('/api/health/live', { signal }));
    return performance.now() - asked;
  },
  refetchInterval: WATCHED,
  retry: false,
});

export const failedJobsQuery = (state: JobState) =>
  infiniteQueryOptions({
    queryKey: keys.admin.part('failed-jobs', { state }),
    queryFn: ({ signal, pageParam }) => failedJobs(state, pageParam, signal),
    initialPageParam: FIRST,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: 15_000,
  });

export function failedJobs(state: JobState, cursor: string | null, signal?: AbortSignal) {
  return answer(
    client.GET('/api/admin/failed-jobs', {
      params: { query: { state, limit: PAGE, ...(cursor !== null && { cursor }) } },
      ...(signal && { signal }),
    }),
  );
}

export const conflictsQuery = infiniteQueryOptions({
  queryKey: keys.admin.part('conflicts'),
  queryFn: ({ signal, pageParam }) =>
    answer(
      client.GET('/api/admin/conflicts', {
        params: { query: { limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) } },
        signal,
      }),
    ),
  initialPageParam: FIRST,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  refetchInterval: 30_000,
});

export const quarantineQuery = infiniteQueryOptions({
  queryKey: keys.admin.part('quarantine'),
  queryFn: ({ signal, pageParam }) =>
    answer(
      client.GET('/api/admin/quarantine', {
        params: { query: { limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) } },
        signal,
      }),
    ),
  initialPageParam: FIRST,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  refetchInterval: 30_000,
});

/** The lead and the event that failed work is about. */
export const jobLeadQuery = (leadId: string) =>
  queryOptions({
    queryKey: keys.leads.one(leadId),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads/{lead_id}', { params: { path: { lead_id: leadId } }, signal })),
  });

export const jobEventQuery = (eventId: string) =>
  queryOptions({
    queryKey: keys.events.one(eventId),
    queryFn: ({ signal }) =>
      answer(
        client.GET('/api/events/{event_id}', { params: { path: { event_id: eventId } }, signal }),
      ),
  });

export const replayJob = (job_id: string) =>
  answer(client.POST('/api/admin/retry-failed/{job_id}', { params: { path: { job_id } } }));
export const discardJob = (job_id: string) =>
  answer(client.POST('/api/admin/discard-failed/{job_id}', { params: { path: { job_id } } }));
export const restoreEvent = (event_id: string) =>
  answer(client.POST('/api/admin/restore-event/{event_id}', { params: { path: { event_id } } }));
export const releaseLead = (lead_id: string) =>
  answer(client.POST('/api/admin/release/{lead_id}', { params: { path: { lead_id } } }));
export const rebuildLead = (lead_id: string) =>
  answer(client.POST('/api/admin/rebuild/{lead_id}', { params: { path: { lead_id } } }));
export const rebuildProject = () => answer(client.POST('/api/admin/rebuild-project'));
export const verifyScores = () => answer(client.POST('/api/admin/verify'));
