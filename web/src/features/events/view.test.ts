import { expect, it } from 'vitest';

import { writeQuery } from '@/lib/search';

import { eventsView, filtersOf, fromLocal, toLocal } from './view';

it('filters stand in the address and come out of it again', () => {
  const view = eventsView.read({
    type: 'signup',
    lead: 'l1',
    session: 's1',
    from: '2026-05-01T12:00:00.000Z',
    event: 'e1',
  });
  expect(filtersOf(view)).toEqual({
    type: 'signup',
    leadId: 'l1',
    sessionId: 's1',
    from: '2026-05-01T12:00:00.000Z',
  });
  const written = writeQuery(eventsView.strip(view));
  expect(eventsView.read(Object.fromEntries(new URLSearchParams(written)))).toEqual(view);
});

it('nothing chosen asks for everything, and nonsense is nothing', () => {
  expect(filtersOf(eventsView.read({ from: 'yesterday', type: '', to: '12' + 'x' }))).toEqual({});
  expect(writeQuery(eventsView.strip(eventsView.read({})))).toBe('');
});

it('a time in the form is the same instant in the address', () => {
  const at = '2026-05-01T12:30:00.000Z';
  expect(fromLocal(toLocal(at))).toBe(at);
  expect(toLocal(undefined)).toBe('');
  expect(fromLocal('')).toBeUndefined();
});
