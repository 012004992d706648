import { afterEach, expect, it } from 'vitest';

import { fromGoogle, googleUrl } from './google';
import { hideToken, linkToken } from './link-token';
import { safeNext } from './view';

afterEach(() => {
  sessionStorage.clear();
  history.replaceState(null, '', '/');
});

it.each([
  [undefined, '/dashboard'],
  ['/leads?stage=hot', '/leads?stage=hot'],
  ['//evil.example/x', '/dashboard'],
  ['/\\evil.example', '/dashboard'],
  ['/\t/evil.example', '/dashboard'],
  ['https://evil.example', '/dashboard'],
  ['javascript:alert(1)', '/dashboard'],
])('after signing in %s leads to %s', (next, where) => {
  expect(safeNext(next)).toBe(where);
});

it('the token of a link leaves the address and outlives signing in', () => {
  history.replaceState(null, '', '/verify-email#token=abc');
  expect(linkToken('verify-email')).toBe('abc');
  hideToken();
  expect(location.hash).toBe('');
  expect(linkToken('verify-email')).toBe('abc');
  expect(linkToken('reset-password')).toBeNull();
});

const token = (nonce: string) => `h.${btoa(JSON.stringify({ nonce }))}.s`;
const asked = { state: 's1', nonce: 'n1', next: '/leads' };

it('Google is asked for a token that comes back to this very question', () => {
  const url = new URL(googleUrl('client', asked));
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    client_id: 'client',
    response_type: 'id_token',
    nonce: 'n1',
    state: 's1',
  });
});

it.each([
  ['', null],
  [`#id_token=${token('n1')}&state=s1`, { idToken: token('n1'), next: '/leads' }],
  [`#id_token=${token('n2')}&state=s1`, { error: expect.stringContaining('old one') as string }],
  [
    `#id_token=${token('n1')}&state=s2`,
    { error: expect.stringContaining('no question') as string },
  ],
  ['#error=access_denied&state=s1', { error: expect.stringContaining('cancelled') as string }],
])('what comes from Google as %s is %o', (hash, answer) => {
  expect(fromGoogle(hash, JSON.stringify(asked))).toEqual(answer);
});

it('a token that nobody asked for is refused', () => {
  expect(fromGoogle(`#id_token=${token('n1')}&state=s1`, null)).toHaveProperty('error');
});
