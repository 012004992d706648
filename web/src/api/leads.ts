import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type Lead = components['schemas']['Lead'];
export type Stage = Lead['leadStage'];
export const STAGES = ['cold', 'warm', 'hot', 'qualified'] as const satisfies readonly Stage[];

export const leaderboardQuery = (limit: number) =>
  queryOptions({
    queryKey: keys.leaderboard.top(limit),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leaderboard', { params: { query: { limit } }, signal })),
    placeholderData: keepPreviousData,
  });

export const byStageQuery = queryOptions({
  queryKey: keys.leaderboard.byStage,
  queryFn: ({ signal }) => answer(client.GET('/api/leaderboard/by-stage', { signal })),
});

/** The first few leads that a search finds. */
export const leadSearchQuery = (q: string) =>
  queryOptions({
    queryKey: keys.leads.list({ q, limit: 8 }),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads', { params: { query: { q, limit: 8 } }, signal })),
    enabled: q.trim().length >= 2,
    placeholderData: keepPreviousData,
  });
