import { expect, it } from 'vitest';

import type { Event } from '@/api/events';

import { arrived, flooded, join, NOTHING, renew, RING } from './stream';
import { fits } from './use-stream';

const event = (number: number, status: Event['status'] = 'scored') =>
  ({ id: `e${number}`, status }) as Event;
const range = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, index) => event(from - index));
const ids = (events: readonly Event[]) => events.map(({ id }) => id);

it('a newer page stands before what was known', () => {
  expect(ids(renew(range(5, 1), range(7, 4), true))).toEqual(ids(range(7, 1)));
});

it('rows never become more than a few hundred', () => {
  let ring: Event[] = [];
  for (let top = 100; top < 5_000; top += 50) ring = renew(ring, range(top, top - 99), true);
  expect(ring).toHaveLength(RING);
  expect(ring[0]?.id).toBe('e4950');
});

it('what doesn’t adjoin any more is left out', () => {
  expect(ids(renew(range(5, 1), range(900, 801), true))).toEqual(ids(range(900, 801)));
});

it('a list that ends with the page has nothing behind it', () => {
  expect(ids(renew(range(5, 1), range(3, 2), false))).toEqual(['e3', 'e2']);
});

it('what still waited when it was read is not shown as waiting for ever', () => {
  const ring = [event(5), event(4), event(3), event(2, 'queued'), event(1)];
  expect(ids(renew(ring, [event(6), event(5), event(4)], true))).toEqual(['e6', 'e5', 'e4', 'e3']);
});

it('older rows that stand in the stream already are not shown twice', () => {
  expect(ids(join(range(5, 3), range(4, 1)))).toEqual(ids(range(5, 1)));
});

it('an event that comes and is scored counts once, and a flood says that there are more', () => {
  const two = ['a', 'b', 'a'].reduce(arrived, NOTHING);
  expect(two.ids.size).toBe(2);
  expect(two.more).toBe(false);
  expect(flooded(two).more).toBe(true);
});

it('counting ends somewhere', () => {
  let waiting = NOTHING;
  for (let number = 0; number < 2_000; number += 1) waiting = arrived(waiting, String(number));
  expect(waiting.ids.size).toBe(500);
  expect(waiting.more).toBe(true);
});

it('a hint of another type or lead asks for nothing', () => {
  const hint = { eventType: 'signup', leadId: 'l1' };
  expect(fits(hint, {})).toBe(true);
  expect(fits(hint, { type: 'signup', leadId: 'l1' })).toBe(true);
  expect(fits(hint, { type: 'page_view' })).toBe(false);
  expect(fits(hint, { leadId: 'l2' })).toBe(false);
  expect(fits({ ...hint, leadId: null }, { leadId: 'l2' })).toBe(true);
});
