import { expect, it } from 'vitest';

import { displayName, initials } from './people';

it.each([
  [{ name: 'Ada King Lovelace' }, 'AL'],
  [{ name: 'Ada' }, 'A'],
  [{ email: 'grace.hopper@navy.mil' }, 'GH'],
  [{ name: 'Émile Zola' }, 'ÉZ'],
  [{ name: null, email: null }, null],
  [{ name: '123 456' }, null],
])('initials of %o are %s', (person, letters) => {
  expect(initials(person)).toBe(letters);
});

it('somebody without a name is called by what is known', () => {
  expect(displayName({ email: 'a@b.de' })).toBe('a@b.de');
  expect(displayName({ anonymousId: 'f00dcafe-1234' })).toBe('Anonymous f00dcafe');
  expect(displayName({})).toBe('Anonymous');
});
