import { queryOptions } from '@tanstack/react-query';

import { answer, ask, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Model = Schemas['Model'];
export type ModelParts = Omit<Schemas['Preset'], 'name'>;
export type Rule = Schemas['Rule'];
export type Condition = Schemas['Condition'];
export type Decay = Schemas['Decay'];
export type NextAction = Schemas['NextAction'];
export type Rescore = Schemas['Rescore'];
export type RuleUse = Schemas['RuleUse'];
export type ModelVersion = Schemas['ModelVersion'];
export type StoredModel = Schemas['StoredModel'];
export type Preset = Schemas['Preset'];
export type Publication = Schemas['Publication'];
export type Scope = Publication['scope'];

/** How often, in milliseconds, a rescore that is under way is looked at. */
const PACE = 1_500;

export const modelQuery = queryOptions({
  queryKey: keys.model.part('current'),
  queryFn: ({ signal }) => answer(client.GET('/api/model', { signal })),
  refetchInterval: ({ state }) => (state.data?.rescore ? PACE : false),
});

/** What each rule gave in the last days. */
export const ruleStatsQuery = (days: number) =>
  queryOptions({
    queryKey: keys.model.part('stats', { days }),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/rules/stats', { params: { query: { days } }, signal })),
    staleTime: 60_000,
  });

export const versionQuery = (version: number) =>
  queryOptions({
    queryKey: keys.model.part('version', { version }),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/models/{version}', { params: { path: { version } }, signal })),
    // What was published never changes.
    staleTime: Infinity,
  });

export const presetsQuery = queryOptions({
  queryKey: keys.model.part('presets'),
  queryFn: ({ signal }) => answer(client.GET('/api/presets', { signal })),
  staleTime: Infinity,
});

export function versionsPage(cursor: string | null, signal: AbortSignal) {
  const query = cursor === null ? {} : { cursor };
  return answer(client.GET('/api/models', { params: { query }, signal }));
}

type How = { basedOn: number; scope: Scope; note?: string | null; signal?: AbortSignal };

function put(model: ModelParts, preview: boolean, how: How): Promise<Publication> {
  const { stages, bounds, decay, velocity, risk, nextActions, notActivity, rules } = model;
  const parts = { stages, bounds, decay, velocity, risk, nextActions, notActivity, rules };
  const { basedOn: version, scope, note = null, signal } = how;
  return ask('/api/model', {
    method: 'PUT',
    query: { preview: preview || null },
    body: { ...parts, version, scope, note },
    ...(signal && { signal }),
  });
}

/** Publishes a whole model, if nobody else did meanwhile. */
export function publishModel(model: ModelParts, how: How): Promise<Publication> {
  return put(model, false, how);
}

/** Asks what publishing it would concern, and what is wrong with it; nothing is published. */
export function previewModel(model: ModelParts, how: How): Promise<Publication> {
  return put(model, true, how);
}

/** The types of events that the project has seen, those with the most events first. */
export const eventTypesQuery = queryOptions({
  queryKey: keys.analytics.part('event-types'),
  queryFn: async ({ signal }) => {
    const figures = await answer(client.GET('/api/analytics/dashboard', { signal }));
    return figures.eventsByType.map(({ eventType }) => eventType);
  },
  staleTime: 60_000,
});

/** Scores all history by the model in force. */
export function rescoreAll(note: string | null) {
  return answer(client.POST('/api/model/rescore', { body: { note } }));
}
