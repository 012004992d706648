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
