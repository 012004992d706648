import { beforeEach, expect, it, vi } from 'vitest';

import { http, HttpResponse, problem, server, someone } from '@/testing/server';

import { answer, ask, client, keepCsrf, onSignedOut } from './client';
import type { ApiError } from './errors';

const switching = () =>
  answer(client.POST('/api/auth/switch-project', { body: { projectId: 'p2' } }));
const failing = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error as ApiError,
  );

beforeEach(() => keepCsrf('csrf-1'));

it('a change carries the CSRF header, and a question does not', async () => {
  const seen: (string | null)[] = [];
  server.use(
    http.all('*/api/auth/:call', ({ request }) => {
      seen.push(request.headers.get('X-CSRF-Token'));
      return HttpResponse.json(someone());
    }),
  );
  await answer(client.GET('/api/auth/me'));
  await switching();
  expect(seen).toEqual([null, 'csrf-1']);
});

it('an error keeps what the server said', async () => {
  server.use(
    http.post('*/api/auth/login', () =>
      problem(422, 'invalid', 'Some fields are wrong.', [
        { field: 'email', message: 'This is no email address.' },
      ]),
    ),
  );
  const error = await failing(
    answer(client.POST('/api/auth/login', { body: { email: 'x', password: 'y' } })),
  );
  expect(error).toMatchObject({ status: 422, code: 'invalid', requestId: 'req_test' });
  expect(error?.field('email')).toBe('This is no email address.');
  expect(error?.field('password')).toBeUndefined();
});

it('a server that does not answer is an error, too', async () => {
  server.use(http.get('*/api/leaderboard', () => HttpResponse.error()));
  expect(await failing(ask('/api/leaderboard'))).toMatchObject({ status: 0, code: 'network' });
});

it('a CSRF token of another session is renewed once', async () => {
  const seen: (string | null)[] = [];
  server.use(
    http.get('*/api/auth/me', () => HttpResponse.json({ ...someone(), csrfToken: 'csrf-2' })),
    http.post('*/api/auth/switch-project', ({ request }) => {
      const token = request.headers.get('X-CSRF-Token');
      seen.push(token);
      return token === 'csrf-2' ? HttpResponse.json({}) : problem(403, 'csrf', 'No.');
    }),
  );
  await switching();
  expect(seen).toEqual(['csrf-1', 'csrf-2']);
});

it('calls wait for a new login in place, asked once, and go on with what they carried', async () => {
  let signedIn = false;
  const bodies: unknown[] = [];
  server.use(
    http.post('*/api/things', async ({ request }) => {
      if (!signedIn) return problem(401, 'expired_session', 'The session has ended.');
      bodies.push(await request.json());
      return HttpResponse.json({});
    }),
  );
  const asking = vi.fn(() => {
    signedIn = true;
    return Promise.resolve(true);
  });
  const stop = onSignedOut(asking);
  await Promise.all([1, 2, 3].map((n) => ask('/api/things', { method: 'POST', body: { n } })));
  stop();
  expect(asking).toHaveBeenCalledTimes(1);
  expect(bodies).toHaveLength(3);
  expect(bodies).toContainEqual({ n: 2 });
});

it('whoever does not sign in again gets the error', async () => {
  server.use(http.get('*/api/things', () => problem(401, 'expired_session', 'Over.')));
  const stop = onSignedOut(() => Promise.resolve(false));
  expect(await failing(ask('/api/things'))).toMatchObject({ status: 401 });
  stop();
});

it('a wrong password asks nobody for a password', async () => {
  server.use(http.post('*/api/auth/login', () => problem(401, 'wrong_credentials', 'Wrong.')));
  const asking = vi.fn(() => Promise.resolve(true));
  const stop = onSignedOut(asking);
  await failing(ask('/api/auth/login', { method: 'POST', body: {} }));
  stop();
  expect(asking).not.toHaveBeenCalled();
});

it('a short wait is sat out for a question, and told for a change', async () => {
  let calls = 0;
  server.use(
    http.all('*/api/things', () => {
      calls += 1;
      return calls % 2 === 1
        ? problem(429, 'too_many', 'Slowly.', [], { 'Retry-After': '0' })
        : HttpResponse.json({ calls });
    }),
  );
  expect(await ask('/api/things')).toEqual({ calls: 2 });
  expect(await failing(ask('/api/things', { method: 'POST' }))).toMatchObject({
    status: 429,
    retryAfter: 0,
  });
});

it('a long wait is told', async () => {
  server.use(
    http.get('*/api/things', () =>
      problem(503, 'overloaded', 'Busy.', [], { 'Retry-After': '60' }),
    ),
  );
  expect(await failing(ask('/api/things'))).toMatchObject({ status: 503, retryAfter: 60 });
});
