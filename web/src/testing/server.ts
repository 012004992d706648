import { http, HttpResponse, type JsonBodyType } from 'msw';
import { setupServer } from 'msw/node';

import type { Me } from '@/api/session';

export { http, HttpResponse };

/** Answers in place of the server; each test says which calls it expects. */
export const server = setupServer();

/** An answer of a call by its path: `server.use(get('/api/leaderboard', { leads: [] }))`. */
export function get(path: string, body: JsonBodyType, status = 200) {
  return http.get(`*${path}`, () => HttpResponse.json(body, { status }));
}

/** An error as the server words it. */
export function problem(
  status: number,
  code: string,
  detail: string,
  errors: { field: string; message: string }[] = [],
  headers: Record<string, string> = {},
) {
  return HttpResponse.json(
    { type: '', title: detail, status, detail, code, instance: 'req_test', errors },
    { status, headers: { 'Content-Type': 'application/problem+json', ...headers } },
  );
}

/** Ada, who owns a project; changed as a test needs. */
export function someone(changes: Partial<Me['user']> = {}, role: 'viewer' | 'owner' = 'owner'): Me {
  const project = {
    id: 'p1',
    name: 'Engines',
    role,
    writeKey: 'pk_test',
    deletedAt: null,
  } as const;
  return {
    user: {
      id: 'u1',
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      emailVerified: true,
      operator: false,
      hasPassword: true,
      ...changes,
    },
    project,
    projects: [project],
    csrfToken: 'csrf-1',
  };
}
