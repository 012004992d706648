import { type QueryClient, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type FirstSteps = components['schemas']['FirstSteps'];

const of = (id: string) => ({ params: { path: { project_id: id } } });

export const firstStepsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'first-steps'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/first-steps', { ...of(id), signal })),
  });

export async function dismissFirstSteps(queries: QueryClient, id: string, dismissed: boolean) {
  const steps = await answer(
    client.PUT('/api/projects/{project_id}/first-steps', { ...of(id), body: { dismissed } }),
  );
  queries.setQueryData(firstStepsQuery(id).queryKey, steps);
}

export const sampleDataQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'sample-data'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/sample-data', { ...of(id), signal })),
  });

/** Fills the project with made-up leads; twice does no more than once. */
export function addSampleData(id: string) {
  return answer(client.POST('/api/projects/{project_id}/sample-data', of(id)));
}

/** Takes all made-up leads out again; a great many of them take several calls. */
export async function removeSampleData(id: string): Promise<void> {
  for (;;) {
    const { remaining } = await answer(
      client.DELETE('/api/projects/{project_id}/sample-data', of(id)),
    );
    if (remaining === 0) return;
  }
}
