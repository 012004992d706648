import { expect, it } from 'vitest';

import { NO_KEY, policy, SIGNING, snippets, testCall } from './snippets';
import { endAfter, makerOf, originsOf } from './keys-logic';

const HOST = 'https://leads.example.com';

it.each(snippets(HOST, 'pk_1'))('$label: has the real key and this very host', ({ code }) => {
  expect(code).toContain('pk_1');
  expect(code).toContain(HOST);
  expect(code).not.toContain(NO_KEY);
});

it('a key that can’t be told is left to be filled in', () => {
  for (const { code } of snippets(HOST, null)) expect(code).toContain(NO_KEY);
});

it('the test event is what the snippets send, without a session', () => {
  const [url, init] = testCall(HOST, 'pk_1', 'id-123456789012');
  expect(url).toBe(`${HOST}/api/ingest/event`);
  expect(init.headers).toMatchObject({ 'X-API-Key': 'pk_1' });
  expect(init.credentials).toBe('omit');
  expect(JSON.parse(init.body as string)).toMatchObject({ eventId: 'id-123456789012', test: true });
});

it('a signature is the hex HMAC-SHA256, wherever it is made', () => {
  for (const { language, code } of SIGNING) {
    if (language !== 'browser') expect(code).toMatch(/hmac[\s\S]*sha256[\s\S]*(hex)/i);
  }
  expect(policy(HOST)).toBe(`script-src ${HOST}; connect-src ${HOST}`);
});

it('websites come one a line or with commas, each once', () => {
  expect(originsOf(' https://a.example/\nhttps://b.example, https://a.example ')).toEqual([
    'https://a.example',
    'https://b.example',
  ]);
  expect(originsOf('')).toEqual([]);
});

it('a key ends after so many days, or never', () => {
  const now = Date.parse('2026-05-01T00:00:00Z');
  expect(endAfter('30', now)).toBe('2026-05-31T00:00:00.000Z');
  expect(endAfter('', now)).toBeNull();
});

it('whoever made a key is called by name', () => {
  const members = [{ id: 'u1', name: 'Ada', email: 'ada@example.com' }];
  expect(makerOf('user:u1', members)).toBe('Ada');
  expect(makerOf('user:u2', members)).toBe('a former member');
  expect(makerOf(null, members)).toBeNull();
});
