import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';

import { answer, client, keepCsrf } from './client';
import { keys } from './keys';
import { can, type Permission, refusal } from './permissions';
import type { components } from './schema';

export type Me = components['schemas']['Me'];
export type LoggedIn = components['schemas']['LoggedIn'];
export type OwnProject = components['schemas']['OwnProject'];

export type Options = components['schemas']['EntryOptions'];

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
  queryFn: ({ signal }) => answer(client.GET('/api/auth/options', { signal })),
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

/** Not deleted: one can work in it. */
export function isOpen({ deletedAt }: OwnProject): boolean {
  return deletedAt === null;
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

const RETURNING = 'leadpulse.returning';

/** Keeps the session that an answer has begun. */
export function began(session: LoggedIn): LoggedIn {
  keepCsrf(session.csrfToken);
  try {
    localStorage.setItem(RETURNING, 'yes');
  } catch {
    // Then the first page asks again how one gets in.
  }
  return session;
}

export function ended(): void {
  try {
    localStorage.removeItem(RETURNING);
  } catch {
    // There was nothing to forget.
  }
}

/** Whether somebody has signed in here before, so that it is worth asking who. */
export function isReturning(): boolean {
  try {
    return localStorage.getItem(RETURNING) !== null;
  } catch {
    return false;
  }
}

export async function logIn(email: string, password: string): Promise<LoggedIn> {
  return began(await answer(client.POST('/api/auth/login', { body: { email, password } })));
}

export async function switchProject(projectId: string): Promise<LoggedIn> {
  return began(await answer(client.POST('/api/auth/switch-project', { body: { projectId } })));
}
