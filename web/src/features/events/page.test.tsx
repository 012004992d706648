import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { heard } from '@/api/live';
import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server } from '@/testing/server';

import { EventsPage } from './page';
import { eventsView } from './view';

const event = (id: string, eventType = 'page_view', changes: object = {}) => ({
  id,
  eventId: `sent-${id}`,
  eventType,
  leadId: 'l1',
  lead: { name: 'Ada Lovelace', email: 'ada@example.com', company: null },
  timestamp: '2026-05-01T12:00:00Z',
  originalTimestamp: null,
  receivedAt: '2026-05-01T12:00:00Z',
  sessionId: null,
  properties: {},
  traits: null,
  test: false,
  trusted: true,
  modelVersion: 1,
  status: 'scored',
  delta: 5,
  ...changes,
});
const hint = (id: string, eventType = 'page_view') =>
  heard('newEvent', {
    id,
    eventType,
    leadId: 'l1',
    anonymousId: null,
    timestamp: '2026-05-01T12:00:00Z',
    status: 'queued',
  });
const beside = [
  get('/api/analytics/dashboard', { eventsByType: [{ eventType: 'page_view', events: 3 }] }),
  get('/api/model', { version: 1, rules: [], stages: [{ name: 'cold', from: 0 }] }),
];

/** Answers a list that a test can add to, and remembers what was asked. */
function stream(first: object[]) {
  const events = [...first];
  const asked: URLSearchParams[] = [];
  server.use(
    ...beside,
    http.get('*/api/events', ({ request }) => {
      asked.push(new URL(request.url).searchParams);
      return HttpResponse.json({ events, nextCursor: null });
    }),
  );
  return { asked, add: (one: object) => events.unshift(one) };
}
const open = (at = '/events') =>
  renderPage(EventsPage, { path: '/events', at, validateSearch: eventsView.validate });

it('an event says who, how it is known, and what it changed', async () => {
  stream([event('e1', 'signup', { test: true })]);
  open();
  const row = (await screen.findByText('signup')).closest('[role=row]');
  expect(row).toHaveTextContent('Test');
  expect(row).toHaveTextContent('Ada Lovelace');
  expect(row).toHaveTextContent('Trusted');
  expect(row).toHaveTextContent('Scored');
  expect(row).toHaveTextContent('+5');
});

it('events come in by themselves, and many hints are few calls', async () => {
  const { add, asked } = stream([event('e1', 'first')]);
  open();
  await screen.findByText('first');
  add(event('e2', 'second'));
  act(() => {
    for (let number = 0; number < 200; number += 1) hint(`h${number}`);
  });
  expect(await screen.findByText('second')).toBeInTheDocument();
  expect(asked.length).toBeLessThanOrEqual(3);
});

it('paused, nothing moves, and what waits is counted until one goes on', async () => {
  const { add, asked } = stream([event('e1', 'first')]);
  open();
  await screen.findByText('first');
  await userEvent.click(screen.getByRole('button', { name: 'Pause' }));
  add(event('e2', 'second'));
  act(() => {
    hint('e2');
    hint('e2');
    hint('e3');
  });
  await screen.findByRole('button', { name: 'Resume (2)' });
  expect(screen.queryByText('second')).not.toBeInTheDocument();
  expect(asked).toHaveLength(1);
  await userEvent.click(screen.getByRole('button', { name: 'Resume (2)' }));
  expect(await screen.findByText('second')).toBeInTheDocument();
});

it('filters of the address are asked for', async () => {
  const { asked } = stream([event('e1')]);
  open('/events?type=page_view&session=s1');
  await screen.findByText('page_view');
  expect(asked[0]?.get('type')).toBe('page_view');
  expect(asked[0]?.get('sessionId')).toBe('s1');
});

it('an opened event tells its rules, one that was capped, and why another gave nothing', async () => {
  stream([event('e1', 'signup')]);
  const rule = { eventType: 'signup', active: true, trust: 'any' };
  server.use(
    get('/api/model', {
      version: 1,
      stages: [
        { name: 'cold', from: 0 },
        { name: 'warm', from: 11 },
      ],
      rules: [
        { ...rule, id: 'r1', name: 'Signed up', points: 30 },
        { ...rule, id: 'r2', name: 'From a big company', points: 10 },
      ],
    }),
    get('/api/events/e1', {
      ...event('e1', 'signup', { delta: 15 }),
      pipeline: {
        receivedAt: '2026-05-01T12:00:00.000Z',
        committedAt: '2026-05-01T12:00:00.002Z',
        claimedAt: '2026-05-01T12:00:00.008Z',
        scoredAt: '2026-05-01T12:00:00.010Z',
        deliveredAt: null,
      },
      scored: {
        oldScore: 0,
        delta: 15,
        newScore: 15,
        points: 15,
        rules: [{ id: 'r1', name: 'Signed up', points: 15 }],
        stage: 'warm',
        modelVersion: 1,
      },
    }),
  );
  const { router } = open();
  await userEvent.click(await screen.findByText('signup'));
  const rules = await screen.findByRole('list', { name: 'Rules' });
  await waitFor(() => expect(rules).toHaveTextContent('capped from 30'));
  expect(rules).toHaveTextContent('From a big company');
  expect(rules).toHaveTextContent('did not apply, or its cap was reached');
  expect(screen.getByRole('list', { name: 'Pipeline' })).toHaveTextContent('+6 ms');
  expect(router.state.location.search).toMatchObject({ event: 'e1' });
});

it('an empty project leads to the integrations', async () => {
  stream([]);
  const { router } = open();
  await userEvent.click(await screen.findByRole('button', { name: 'Send the first event' }));
  expect(router.state.location.pathname).toBe('/integrations');
});

it('filters that nothing fits can be taken off', async () => {
  stream([]);
  const { router } = open('/events?type=nothing');
  await userEvent.click(await screen.findByRole('button', { name: 'Clear the filters' }));
  expect(router.state.location.search).toEqual({});
});

it('an error can be tried again', async () => {
  server.use(
    ...beside,
    http.get('*/api/events', () => problem(500, 'internal', 'The error was recorded.')),
  );
  open();
  await screen.findByText('The events can’t be shown');
  stream([event('e1', 'back')]);
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('back')).toBeInTheDocument();
});
