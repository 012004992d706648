import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
} from '@tanstack/react-query';

import { answer, ask, client } from './client';
import { keys } from './keys';
import type { Lead } from './leads';
import type { components } from './schema';
import { membersQuery as allMembersQuery } from './settings';

type Schemas = components['schemas'];
export type LeadList = Schemas['LeadList'];
export type LeadChanges = Schemas['LeadChanges'];
export type NewLead = Schemas['NewLead'];
export type Explanation = Schemas['Explanation'];
export type HistoryEntry = Schemas['HistoryEntry'];
export type Intelligence = Schemas['Intelligence'];
export type Merge = Schemas['Merge'];
export type MergePreview = Schemas['MergePreview'];
export type Session = Schemas['Session'];
export type TimelineEvent = Schemas['TimelineEvent'];
export type Touch = Schemas['Touch'];
export type WorkChange = Schemas['WorkChange'];
export type Member = Schemas['Member'];
export type Status = Lead['status'];

/** Which leads a list is about, and how it is sorted; as GET /api/leads asks. */
export type LeadQuestion = {
  q?: string;
  stage?: Lead['leadStage'];
  status?: Status;
  owner?: string;
  minScore?: number;
  maxScore?: number;
  risk?: NonNullable<Lead['risk']>;
  seenAfter?: string;
  test?: boolean;
  sort?: 'score' | 'lastEventAt' | 'createdAt' | 'name' | 'urgency';
  order?: 'asc' | 'desc';
};

const FIRST = 100;
const LATER = 200;

/** A list, page after page: a quick first one, then as many as the server gives at a time. */
export const leadListQuery = (question: LeadQuestion) =>
  infiniteQueryOptions({
    queryKey: keys.leads.list(question),
    queryFn: ({ pageParam, signal }) =>
      answer(
        client.GET('/api/leads', {
          params: {
            query: {
              ...question,
              limit: pageParam === null ? FIRST : LATER,
              ...(pageParam !== null && { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  });

const path = (id: string) => ({ path: { lead_id: id } });

export const leadQuery = (id: string) =>
  queryOptions({
    queryKey: keys.leads.one(id),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads/{lead_id}', { params: path(id), signal })),
  });

export const intelligenceQuery = (id: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'intelligence'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/leads/{lead_id}/intelligence', { params: path(id), signal })),
  });

/** Why the score is what it is, now or at an instant. */
export const explanationQuery = (id: string, at?: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'explanation', { at }),
    queryFn: ({ signal }) =>
      answer(
        client.GET('/api/leads/{lead_id}/explanation', {
          params: { ...path(id), query: at === undefined ? {} : { at } },
          signal,
        }),
      ),
    placeholderData: (before) => (before?.leadId === id ? before : undefined),
  });

/** So many pages of a ledger are read from its beginning before its end alone is asked for. */
const LEDGER_PAGES = 5;

export type Ledger = {
  entries: HistoryEntry[];
  /** The newest acts, for a lead that did more than a ledger is read of. */
  newest: TimelineEvent[] | null;
};

export const ledgerQuery = (id: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'ledger'),
    queryFn: async ({ signal }): Promise<Ledger> => {
      const entries: HistoryEntry[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < LEDGER_PAGES; page += 1) {
        const query: { limit: number; cursor?: string } = { limit: LATER };
        if (cursor !== null) query.cursor = cursor;
        const history: Schemas['History'] = await answer(
          client.GET('/api/leads/{lead_id}/history', { params: { ...path(id), query }, signal }),
        );
        entries.push(...history.entries);
        cursor = history.nextCursor;
        if (cursor === null) return { entries, newest: null };
      }
      return { entries: [], newest: await newestActs(id, signal) };
    },
  });

async function newestActs(id: string, signal: AbortSignal): Promise<TimelineEvent[]> {
  const acts: TimelineEvent[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < LEDGER_PAGES; page += 1) {
    const query: { limit: number; cursor?: string } = { limit: LATER };
    if (cursor !== null) query.cursor = cursor;
    const timeline = (await answer(
      client.GET('/api/leads/{lead_id}/timeline', { params: { ...path(id), query }, signal }),
    )) as Schemas['Timeline'];
    acts.push(...timeline.events);
    cursor = timeline.nextCursor;
    if (cursor === null) break;
  }
  return acts;
}

export const sessionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.leads.part(id, 'sessions'),
    queryFn: async ({ pageParam, signal }) =>
      (await answer(
        client.GET('/api/leads/{lead_id}/timeline', {
          params: {
            ...path(id),
            query: {
              groupBy: 'session',
              limit: 20,
              ...(pageParam !== null && { cursor: pageParam }),
            },
          },
          signal,
        }),
      )) as Schemas['Sessions'],
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });

/** Who changed owner and status, and when. */
export const workQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.leads.part(id, 'changes'),
    queryFn: ({ pageParam, signal }) =>
      answer(
        client.GET('/api/leads/{lead_id}/changes', {
          params: {
            ...path(id),
            query: { limit: 50, ...(pageParam !== null && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });

export const mergesQuery = (id: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'merges'),
    queryFn: async ({ signal }) =>
      (await answer(client.GET('/api/leads/{lead_id}/merges', { params: path(id), signal })))
        .merges,
  });

/** What would come of merging a lead into another one. */
export const mergePreviewQuery = (id: string, intoId: string) =>
  queryOptions({
    queryKey: keys.leads.part(id, 'merge-preview', { intoId }),
    queryFn: async ({ signal }) =>
      (await answer(
        client.POST('/api/leads/{lead_id}/merge', {
          params: path(id),
          body: { intoId, preview: true },
          signal,
        }),
      )) as MergePreview,
    staleTime: 0,
    gcTime: 0,
  });

/** The members themselves, out of what the settings keep. */
export const membersQuery = (projectId: string) =>
  queryOptions({ ...allMembersQuery(projectId), select: ({ members }) => members });

export const modelQuery = queryOptions({
  queryKey: keys.model.part('current'),
  queryFn: ({ signal }) => answer(client.GET('/api/model', { signal })),
  staleTime: 60_000,
});

export const testLeadsQuery = (projectId: string) =>
  queryOptions({
    queryKey: keys.project.part(projectId, 'test-leads'),
    queryFn: ({ signal }) =>
      ask<{ leads: number }>(`/api/projects/${projectId}/test-leads`, { signal }),
  });

// ── Changes ──────────────────────────────────────────────────────────────────────────

/** Puts a lead that an answer brought wherever it is shown, until it is asked again. */
export function keepLead(queries: QueryClient, lead: Lead): void {
  queries.setQueryData(leadQuery(lead.id).queryKey, (before) => ({ ...before, ...lead }));
  queries.setQueriesData<{ pages: LeadList[]; pageParams: unknown[] }>(
    { queryKey: keys.leads.lists },
    (list) => {
      // Other queries of the same name know one page only.
      if (list === undefined || !Array.isArray(list.pages)) return list;
      return {
        ...list,
        pages: list.pages.map((page) =>
          page.leads.some(({ id }) => id === lead.id)
            ? {
                ...page,
                leads: page.leads.map((one) => (one.id === lead.id ? { ...one, ...lead } : one)),
              }
            : page,
        ),
      };
    },
  );
}

export const createLead = async (lead: NewLead) => {
  const { data, response } = await client.POST('/api/leads', { body: lead });
  return { lead: data as Lead, made: response.status === 201 };
};

export const changeLead = (id: string, changes: LeadChanges) =>
  answer(client.PATCH('/api/leads/{lead_id}', { params: path(id), body: changes }));

export const removeLead = (id: string) =>
  answer(client.DELETE('/api/leads/{lead_id}', { params: path(id) }));

export const eraseLead = (id: string) =>
  answer(client.POST('/api/leads/{lead_id}/erase', { params: path(id) }));

export const recalculateLead = (id: string) =>
  answer(client.POST('/api/admin/rebuild/{lead_id}', { params: path(id) }));

export const adjustLead = (id: string, body: Schemas['NewAdjustment']) =>
  answer(client.POST('/api/leads/{lead_id}/adjustments', { params: path(id), body }));

export const mergeLead = (id: string, intoId: string) =>
  answer(
    client.POST('/api/leads/{lead_id}/merge', {
      params: path(id),
      body: { intoId, preview: false },
    }),
  );

export const undoMerge = (mergeId: string) =>
  answer(client.POST('/api/merges/{merge_id}/undo', { params: { path: { merge_id: mergeId } } }));

export const removeTestLeads = (projectId: string) =>
  ask<{ removed: number; remaining: number }>(`/api/projects/${projectId}/test-leads`, {
    method: 'DELETE',
  });
