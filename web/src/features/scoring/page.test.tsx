import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server, someone } from '@/testing/server';

import { ScoringPage } from './page';
import { forgetPending } from './pending';
import { scoringView } from './view';

const rule = (id: string, eventType: string, points: number) => ({
  id,
  eventType,
  name: eventType,
  description: '',
  points,
  active: true,
  conditions: [],
  maxPerDay: null,
  maxPointsPerDay: null,
  once: false,
  trust: 'any',
});
const model = {
  version: 3,
  stages: [
    { name: 'cold', from: 0 },
    { name: 'warm', from: 11 },
    { name: 'hot', from: 31 },
    { name: 'qualified', from: 60 },
  ],
  bounds: { min: 0, max: 10_000 },
  decay: { factor: 0.95, afterDays: 7, everyDays: 1 },
  velocity: { factor: 3 },
  risk: { mediumDays: 7, highDays: 14 },
  nextActions: [],
  notActivity: [],
  rules: [rule('a', 'signup', 30), rule('b', 'page_view', 5)],
  rescore: null,
};
const uses = get('/api/rules/stats', {
  days: 30,
  complete: true,
  rules: [{ id: 'a', name: 'signup', active: true, hits: 4, points: 120 }],
});
const open = (at = '/scoring', role: 'viewer' | 'owner' = 'owner') =>
  renderPage(ScoringPage, {
    path: '/scoring',
    at,
    me: someone({}, role),
    validateSearch: scoringView.validate,
  });
const checked = (answer: object) =>
  http.put('*/api/model', () => HttpResponse.json({ ...model, ...answer }));

// The server is asked once typing has stopped.
const SLOW = { timeout: 5_000 };

beforeEach(() => {
  sessionStorage.clear();
  forgetPending();
  server.use(get('/api/model', model), uses, get('/api/analytics/dashboard', { eventsByType: [] }));
});

it('rules stand with what they gave in the last 30 days', async () => {
  open();
  const row = (await screen.findByText('+30')).closest('[role=row]');
  expect(await within(row as HTMLElement).findByText('120')).toBeInTheDocument();
});

it('an edit waits to be published, and a reload loses nothing of it', async () => {
  server.use(checked({ idleLeads: null, blankedEvents: null }));
  const { unmount } = open();
  await userEvent.click(await screen.findByRole('switch', { name: 'signup is on' }));
  expect(await screen.findByText('1 change, not published')).toBeInTheDocument();
  unmount();
  forgetPending();
  open();
  expect(await screen.findByText('1 change, not published')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('switch', { name: 'signup is on' }));
  expect(screen.queryByText('1 change, not published')).toBeNull();
  expect(sessionStorage).toHaveLength(0);
});

it('what the server finds wrong stands beside its field', async () => {
  server.use(
    http.put('*/api/model', () =>
      problem(422, 'invalid', 'Some fields are wrong.', [
        { field: 'stages[2].from', message: 'must be above the stage before' },
      ]),
    ),
    get('/api/leaderboard/by-stage', { cold: 1, warm: 0, hot: 0, qualified: 0 }),
  );
  open('/scoring?tab=stages');
  const field = await screen.findByRole('spinbutton', { name: 'Hot from, in points' });
  await userEvent.clear(field);
  await userEvent.type(field, '5');
  expect(await screen.findByText('must be above the stage before', {}, SLOW)).toBeInTheDocument();
  expect(field).toHaveAttribute('aria-invalid', 'true');
  expect(screen.getByText('1 problem in Stages')).toBeInTheDocument();
});

it('publishing asks for the scope and says whom it concerns', async () => {
  const sent: unknown[] = [];
  server.use(
    http.put('*/api/model', async ({ request }) => {
      const preview = new URL(request.url).searchParams.get('preview');
      if (preview === null) sent.push(await request.json());
      return HttpResponse.json({
        ...model,
        version: 4,
        scope: 'all-history',
        idleLeads: 7,
        blankedEvents: 0,
      });
    }),
  );
  open('/scoring?tab=decay');
  await userEvent.click(await screen.findByRole('switch', { name: 'Scores fall in silence' }));
  await userEvent.click(screen.getByRole('button', { name: 'Review and publish' }));
  const dialog = await screen.findByRole('dialog');
  expect(within(dialog).getByText(/→ off/)).toBeInTheDocument();
  expect(
    await within(dialog).findByText(/concerns 7 idle leads at once/, {}, SLOW),
  ).toBeInTheDocument();
  await userEvent.click(within(dialog).getByRole('radio', { name: 'All history' }));
  await userEvent.click(within(dialog).getByRole('button', { name: 'Publish' }));
  expect(await screen.findByText(/^Version 4 is in force/)).toBeInTheDocument();
  expect(sent).toMatchObject([{ version: 3, scope: 'all-history', decay: null }]);
});

it('a rescore that is under way shows how far it is', async () => {
  const rescore = {
    version: 3,
    total: 10,
    done: 4,
    percent: 40,
    startedAt: '2026-05-01T12:00:00Z',
  };
  server.use(get('/api/model', { ...model, rescore }));
  open();
  expect(await screen.findByRole('progressbar')).toHaveAttribute('aria-valuenow', '40');
});

it('who may not change the model is told why, and can look', async () => {
  open('/scoring', 'viewer');
  expect(await screen.findByText(/needs the role admin or more/)).toBeInTheDocument();
  expect(screen.getByRole('switch', { name: 'signup is on' })).toBeDisabled();
  expect(screen.queryByRole('button', { name: 'Add rule' })).toBeNull();
});
