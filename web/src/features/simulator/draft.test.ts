import { expect, it } from 'vitest';

import { type Draft, eventOf, propertiesOf, toRows, toText, valueOf } from './draft';

const draft: Draft = {
  type: 'demo_request',
  whom: 'email',
  email: 'ann@example.com',
  lead: undefined,
  anonymousId: 'anon-1',
  rows: [],
  json: false,
  text: '',
  at: '',
  test: false,
};
const now = Date.parse('2026-05-01T12:00:00Z');

it('values are what they look like, and quotes make a text', () => {
  expect(['5', '-1.5', 'true', 'null', '"5"', 'pro', '1e', '{"a":1}', '{x'].map(valueOf)).toEqual([
    5,
    -1.5,
    true,
    null,
    '5',
    'pro',
    '1e',
    { a: 1 },
    '{x',
  ]);
});

it('rows and JSON say the same', () => {
  const rows = [
    { key: 'seats', value: '5' },
    { key: 'code', value: '"007"' },
    { key: 'number', value: '"5"' },
    { key: '', value: 'left out' },
  ];
  expect(propertiesOf(rows)).toEqual({ seats: 5, code: '007', number: '5' });
  expect(propertiesOf(toRows(toText(rows)) ?? [])).toEqual(propertiesOf(rows));
  expect(toRows('[1]')).toBeNull();
  expect(toRows('{')).toBeNull();
});

it('an event carries only what was said', () => {
  expect(eventOf(draft, now).event).toEqual({ event: 'demo_request', email: 'ann@example.com' });
  expect(
    eventOf({ ...draft, whom: 'lead', lead: 'l1', test: true, json: true, text: '{"a": 1}' }, now)
      .event,
  ).toEqual({ event: 'demo_request', leadId: 'l1', properties: { a: 1 }, test: true });
  expect(eventOf({ ...draft, whom: 'anonymous', at: '2026-05-01T10:00Z' }, now).event).toEqual({
    event: 'demo_request',
    anonymousId: 'anon-1',
    timestamp: '2026-05-01T10:00:00.000Z',
  });
});

it('what is wrong is told by its field', () => {
  const problems = eventOf(
    { ...draft, type: ' ', email: 'ann', json: true, text: '[]', at: '2026-05-02T10:00Z' },
    now,
  ).problems;
  expect(Object.keys(problems ?? {}).sort()).toEqual(['at', 'email', 'properties', 'type']);
  expect(eventOf({ ...draft, whom: 'lead' }, now).problems?.lead).toBeDefined();
});
