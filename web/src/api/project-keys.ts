import { queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type Key = components['schemas']['Key'];
export type NewKey = components['schemas']['NewKey'];
export type KeyChanges = components['schemas']['KeyChanges'];
export type Scope = Key['scopes'][number];
export type IdentitySetting = components['schemas']['IdentitySetting'];

const within = (project_id: string) => ({ params: { path: { project_id } } });
const one = (project_id: string, key_id: string) => ({ params: { path: { project_id, key_id } } });

export const keysQuery = (projectId: string) =>
  queryOptions({
    queryKey: keys.project.part(projectId, 'keys'),
    queryFn: async ({ signal }) =>
      (
        await answer(
          client.GET('/api/projects/{project_id}/keys', { ...within(projectId), signal }),
        )
      ).keys,
  });

export function makeKey(projectId: string, body: NewKey) {
  return answer(client.POST('/api/projects/{project_id}/keys', { ...within(projectId), body }));
}

export function changeKey(projectId: string, keyId: string, body: KeyChanges) {
  return answer(
    client.PATCH('/api/projects/{project_id}/keys/{key_id}', { ...one(projectId, keyId), body }),
  );
}

export function revokeKey(projectId: string, keyId: string) {
  return answer(
    client.DELETE('/api/projects/{project_id}/keys/{key_id}', { ...one(projectId, keyId) }),
  );
}

/** Makes a key like another one, which goes on for so many hours. */
export function rotateKey(projectId: string, keyId: string, graceHours: number) {
  return answer(
    client.POST('/api/projects/{project_id}/rotate-key', {
      ...within(projectId),
      body: { keyId, graceHours },
    }),
  );
}

export const identityQuery = (projectId: string) =>
  queryOptions({
    queryKey: keys.project.part(projectId, 'identity-verification'),
    queryFn: ({ signal }) =>
      answer(
        client.GET('/api/projects/{project_id}/identity-verification', {
          ...within(projectId),
          signal,
        }),
      ),
  });

export function setIdentity(projectId: string, body: IdentitySetting) {
  return answer(
    client.PUT('/api/projects/{project_id}/identity-verification', { ...within(projectId), body }),
  );
}
