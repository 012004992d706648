import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';

import { answer, ask, client, keepCsrf } from './client';
import { keys } from './keys';
import { can, type Permission, refusal } from './permissions';
import type { components } from './schema';

export type Me = components['schemas']['Me'];
export type LoggedIn = components['schemas']['LoggedIn'];
export type OwnProject = components['schemas']['OwnProject'];

/** Who may register, and which other ways in there are. */
export type Options = {
  signup: 'first' | 'open' | 'closed';
  registrationOpen: boolean;
  googleClientId: string | null;
  mail: boolean;
};

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async ({ signal }) => {
    const me = await answer(client.GET('/api/auth/me', { signal }));
    keepCsrf(me.csrfToken);
    return me;
  },
  staleTime: 60_000,
});

export const optionsQuery = queryOptions({
  queryKey: keys.options,
  queryFn: ({ signal }) => ask<Options>('/api/auth/options', { signal }),
  staleTime: 60_000,
});

/** Who is logged in, and in which project; for everything inside the shell. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** The project one works in. The shell shows no page without one. */
export function useProject(): OwnProject {
  const { project } = useMe();
  if (project === null) throw new Error('There is no project.');
  return project;
}

/** What the person may do here: `const may = useMay(); may('leads.write')`. */
export function useMay(): (permission: Permission) => boolean {
  const { project } = useMe();
  return (permission) => can(project?.role, permission);
}

/** Why the person may not, to stand beside what is disabled; null when he may. */
export function useRefusal(): (permission: Permission) => string | null {
  const { project, user } = useMe();
  return (permission) => refusal(project?.role, user.emailVerified, permission);
}

/** Keeps the session that an answer has begun. */
export function began(session: LoggedIn): LoggedIn {
  keepCsrf(session.csrfToken);
  return session;
}

export async function logIn(email: string, password: string): Promise<LoggedIn> {
  return began(await answer(client.POST('/api/auth/login', { body: { email, password } })));
}

export async function switchProject(projectId: string): Promise<LoggedIn> {
  return began(await answer(client.POST('/api/auth/switch-project', { body: { projectId } })));
}
