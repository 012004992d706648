import { expect, test } from 'vitest';

import { exportAddress, filtersIn, leadsView, orderOf, questionOf } from './view';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const read = (query: string) => leadsView.read(Object.fromEntries(new URLSearchParams(query)));

test('every filter of an address asks the server', () => {
  const view = read(
    'q=ada&stage=hot&status=open&owner=me&min=10&max=80&risk=high&seen=7d&test=true&sort=name',
  );
  expect(questionOf(view, 'u1', NOW)).toEqual({
    q: 'ada',
    stage: 'hot',
    status: 'open',
    owner: 'u1',
    minScore: 10,
    maxScore: 80,
    risk: 'high',
    seenAfter: '2026-03-03T12:00:00.000Z',
    test: true,
    sort: 'name',
    order: 'asc',
  });
  expect(filtersIn(view)).toBe(9);
});

test('an address without anything is all leads, the highest score first', () => {
  const view = read('');
  expect(questionOf(view, 'u1', NOW)).toEqual({ sort: 'score', order: 'desc' });
  expect(filtersIn(view)).toBe(0);
  expect(leadsView.strip(view)).toEqual({});
});

test('what makes no sense in an address is left out', () => {
  const view = read('stage=boiling&min=many&sort=luck&order=up&at=yesterday&tab=none&seen=1y');
  expect(leadsView.strip(view)).toEqual({});
});

test('a filter that is written is read again', () => {
  const view = read('view=call&owner=u2&min=-5&lead=7&tab=activity&at=2026-03-01T10:00:00Z');
  expect(leadsView.strip(view)).toEqual({
    view: 'call',
    owner: 'u2',
    min: -5,
    lead: '7',
    tab: 'activity',
    at: '2026-03-01T10:00:00.000Z',
  });
});

test('whom to call has an order of its own', () => {
  expect(questionOf(read('view=call&sort=name&order=desc'), 'u1', NOW)).toEqual({
    sort: 'urgency',
  });
});

test('names rise and all else falls, unless asked', () => {
  expect(orderOf(read('sort=name'))).toBe('asc');
  expect(orderOf(read('sort=lastEventAt'))).toBe('desc');
  expect(orderOf(read('sort=name&order=desc'))).toBe('desc');
});

test('what is shown is what is exported', () => {
  const question = questionOf(read('q=a b&stage=hot&sort=name'), 'u1', NOW);
  expect(exportAddress(question, 11)).toBe('/api/leads/export?q=a+b&stage=hot');
  expect(exportAddress(questionOf(read(''), 'u1', NOW), 11)).toBe('/api/leads/export');
});

test('whom to call is exported by the filters that say the same', () => {
  const call = (query: string) => exportAddress(questionOf(read(query), 'u1', NOW), 11);
  expect(call('view=call')).toBe('/api/leads/export?status=open&minScore=11');
  expect(call('view=call&status=working&stage=cold')).toBe(
    '/api/leads/export?stage=cold&status=working',
  );
});
