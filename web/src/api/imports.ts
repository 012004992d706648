import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

type Schemas = components['schemas'];
export type LeadImport = Schemas['LeadImport'];
export type ImportPreview = Schemas['ImportPreview'];
export type LeadsFile = Schemas['LeadsFile'];

/** A file with what its columns mean, where that is not what their headers say. */
export const importPreviewQuery = (file: LeadsFile, key: string) =>
  queryOptions({
    queryKey: keys.imports.preview(key, file.columns ?? {}),
    queryFn: async ({ signal }) =>
      (await answer(
        client.POST('/api/leads/import', {
          params: { query: { preview: true } },
          body: file,
          signal,
        }),
      )) as ImportPreview,
    placeholderData: (before) => before,
    retry: false,
    gcTime: 0,
  });

export const startImport = async (file: LeadsFile) =>
  (await answer(client.POST('/api/leads/import', { body: file }))) as Schemas['ImportStarted'];

const over = (one: LeadImport | undefined) => one?.status === 'done' || one?.status === 'failed';

export const importQuery = (id: string) =>
  queryOptions({
    queryKey: keys.imports.one(id),
    queryFn: ({ signal }) =>
      answer(
        client.GET('/api/imports/{import_id}', { params: { path: { import_id: id } }, signal }),
      ),
    // Nobody tells how far a worker is but its row.
    refetchInterval: ({ state }) => (over(state.data) ? false : 1_000),
  });

export const importsQuery = infiniteQueryOptions({
  queryKey: keys.imports.list,
  queryFn: ({ pageParam, signal }) =>
    answer(
      client.GET('/api/imports', {
        params: { query: { limit: 20, ...(pageParam !== null && { cursor: pageParam }) } },
        signal,
      }),
    ),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
});
