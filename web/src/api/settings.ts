import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { Role } from './permissions';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Project = Schemas['Project'];
export type ProjectChanges = Schemas['ProjectChanges'];
export type Member = Schemas['Member'];
export type Invitation = Schemas['Invitation'];
export type Suppression = Schemas['Suppression'];
export type AuditLine = Schemas['AuditLine'];
export type OwnSession = Schemas['OwnSession'];

const FIRST = null as string | null;
const at = (project_id: string) => ({ path: { project_id } });

export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'settings'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}', { params: at(id), signal })),
  });

export const changeProject = (id: string, body: Partial<ProjectChanges>) =>
  answer(
    client.PATCH('/api/projects/{project_id}', {
      params: at(id),
      // What is left out stays as it is.
      body,
    }),
  );

export const deleteProject = (id: string) =>
  answer(client.DELETE('/api/projects/{project_id}', { params: at(id) }));
export const restoreProject = (id: string) =>
  answer(client.POST('/api/projects/{project_id}/restore', { params: at(id) }));

export const sampleDataQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'sample-data'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/sample-data', { params: at(id), signal })),
  });
export const addSampleData = (id: string) =>
  answer(client.POST('/api/projects/{project_id}/sample-data', { params: at(id) }));

export const testLeadsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'test-leads'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/test-leads', { params: at(id), signal })),
  });

/** Very many go in portions. */
async function untilGone(remove: () => Promise<Schemas['RemovedLeads']>): Promise<number> {
  let gone = 0;
  for (;;) {
    const { removed, remaining } = await remove();
    gone += removed;
    if (remaining === 0 || removed === 0) return gone;
  }
}

export const removeSampleData = (id: string) =>
  untilGone(() =>
    answer(client.DELETE('/api/projects/{project_id}/sample-data', { params: at(id) })),
  );
export const removeTestLeads = (id: string) =>
  untilGone(() =>
    answer(client.DELETE('/api/projects/{project_id}/test-leads', { params: at(id) })),
  );

// ── Members ──────────────────────────────────────────────────────────────────────────

export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'members'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/members', { params: at(id), signal })),
    staleTime: 60_000,
  });

export const changeMember = (id: string, user_id: string, role: Role, transfer = false) =>
  answer(
    client.PATCH('/api/projects/{project_id}/members/{user_id}', {
      params: { path: { project_id: id, user_id } },
      body: { role, transfer },
    }),
  );
export const removeMember = (id: string, user_id: string) =>
  answer(
    client.DELETE('/api/projects/{project_id}/members/{user_id}', {
      params: { path: { project_id: id, user_id } },
    }),
  );

export const invitationsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'invitations'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/invitations', { params: at(id), signal })),
  });
export const invite = (id: string, email: string, role: Exclude<Role, 'owner'>) =>
  answer(
    client.POST('/api/projects/{project_id}/invitations', {
      params: at(id),
      body: { email, role },
    }),
  );
export const revokeInvitation = (id: string, invitation_id: string) =>
  answer(
    client.DELETE('/api/projects/{project_id}/invitations/{invitation_id}', {
      params: { path: { project_id: id, invitation_id } },
    }),
  );

// ── Privacy and audit ────────────────────────────────────────────────────────────────

export const retentionQuery = (id: string) =>
  queryOptions({
    queryKey: keys.project.part(id, 'retention'),
    queryFn: ({ signal }) =>
      answer(client.GET('/api/projects/{project_id}/retention', { params: at(id), signal })),
  });
export const setRetention = (id: string, days: number | null) =>
  answer(client.PUT('/api/projects/{project_id}/retention', { params: at(id), body: { days } }));

type Named = { email?: string; userId?: string; leadId?: string };

export const suppressionsQuery = (id: string, named: Named) =>
  infiniteQueryOptions({
    queryKey: keys.project.part(id, 'suppressions', named),
    queryFn: ({ signal, pageParam }) =>
      answer(
        client.GET('/api/projects/{project_id}/suppressions', {
          params: {
            ...at(id),
            query: { ...named, limit: 50, ...(pageParam !== null && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: FIRST,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
  });
export const liftSuppression = (id: string, suppression_id: string) =>
  answer(
    client.DELETE('/api/projects/{project_id}/suppressions/{suppression_id}', {
      params: { path: { project_id: id, suppression_id } },
    }),
  );

export type AuditFilter = { actor?: string; action?: string; from?: string; to?: string };

export const auditQuery = (id: string, filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: keys.project.part(id, 'audit-log', filter),
    // A page of it; only with `format` it would be a file.
    queryFn: async ({ signal, pageParam }) =>
      (await answer(
        client.GET('/api/projects/{project_id}/audit-log', {
          params: {
            ...at(id),
            query: { ...filter, limit: 50, ...(pageParam !== null && { cursor: pageParam }) },
          },
          signal,
        }),
      )) as Schemas['AuditLog'],
    initialPageParam: FIRST,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    placeholderData: keepPreviousData,
  });

// ── One's own account ────────────────────────────────────────────────────────────────

export const changeName = (name: string) =>
  answer(client.PATCH('/api/auth/me', { body: { name } }));
export const changePassword = (currentPassword: string, newPassword: string) =>
  answer(client.POST('/api/auth/change-password', { body: { currentPassword, newPassword } }));
/** Without a token: another link is mailed. */
export const sendVerification = () => answer(client.POST('/api/auth/verify-email', { body: {} }));

export const sessionsQuery = queryOptions({
  queryKey: [...keys.me, 'sessions'],
  queryFn: ({ signal }) => answer(client.GET('/api/auth/sessions', { signal })),
});
export const endSession = (session_id: string) =>
  answer(client.DELETE('/api/auth/sessions/{session_id}', { params: { path: { session_id } } }));
