import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server, someone } from '@/testing/server';

import { SystemPage } from './page';
import { systemView } from './view';

const NOON = '2026-05-01T12:00:00Z';
const job = {
  id: 'j1',
  leadId: 'l1',
  kind: 'scoring',
  error: 'Traceback\n  File "fold.py"\nZeroDivisionError: division by zero',
  attempts: 6,
  event: 'e1',
  firstFailedAt: NOON,
  failedAt: NOON,
  state: 'open',
  settledAt: null,
};
const everybody = [
  get('/api/health', { status: 'ok', database: 'up', redis: 'none', version: '1' }),
  get('/api/health/live', { status: 'ok' }),
  // What it would be drawn on, a canvas, is not there in these tests.
  http.get('*/api/analytics/throughput', () => problem(500, 'internal', 'The error was recorded.')),
];
const operators = [
  get('/api/admin/system-health', {
    api: { version: '1', startedAt: NOON },
    valkey: { state: 'none', latencyMs: null },
    database: { version: '17', bytes: 1, connections: 1, startedAt: NOON, latencyMs: 0.5 },
    queue: { waiting: 0, oldestSeconds: 0, retrying: 0, failed: 1 },
    workers: [{ host: 'box', pid: 7, startedAt: NOON, seenAt: NOON }],
    heldLeads: 0,
    conflicts: 0,
    modelVersion: 1,
    rescore: null,
    paused: false,
  }),
  get('/api/admin/failed-jobs', { jobs: [job], nextCursor: null }),
];
const open = (at = '/system', me = someone()) =>
  renderPage(SystemPage, { path: '/system', at, me, validateSearch: systemView.validate });

it('a dead letter is told by its cause, and can be replayed', async () => {
  const replayed: string[] = [];
  server.use(
    ...everybody,
    ...operators,
    get('/api/leads/l1', { id: 'l1', name: 'Ada', email: null }),
    get('/api/events/e1', { id: 'e1', eventType: 'signup' }),
    http.post('*/api/admin/retry-failed/:id', ({ params }) => {
      replayed.push(String(params.id));
      return HttpResponse.json({ success: true, message: '', leads: 1 }, { status: 202 });
    }),
  );
  const { router } = open();
  await userEvent.click(
    await screen.findByText('ZeroDivisionError: division by zero', {}, { timeout: 5_000 }),
  );
  expect(router.state.location.search).toMatchObject({ open: 'j1' });
  const sheet = await screen.findByRole('dialog');
  expect(await within(sheet).findByText('Ada')).toBeInTheDocument();
  await userEvent.click(within(sheet).getByRole('button', { name: 'Replay' }));
  expect(await screen.findByText('The lead will be scored again')).toBeInTheDocument();
  expect(replayed).toEqual(['j1']);
});

it('to discard asks what is lost first', async () => {
  server.use(
    ...everybody,
    ...operators,
    get('/api/leads/l1', { id: 'l1', name: 'Ada', email: null }),
    get('/api/events/e1', { id: 'e1', eventType: 'signup' }),
    http.post('*/api/admin/discard-failed/j1', () =>
      problem(409, 'already_settled', 'Somebody was faster.'),
    ),
  );
  open('/system?open=j1');
  await userEvent.click(await screen.findByRole('button', { name: 'Discard' }));
  const asked = await screen.findByRole('alertdialog');
  expect(asked).toHaveTextContent('The event at fault no longer counts');
  await userEvent.click(within(asked).getByRole('button', { name: 'Discard' }));
  expect(await within(asked).findByText('Somebody was faster.')).toBeInTheDocument();
});

it('a check says what differs, with the lead to open', async () => {
  server.use(
    ...everybody,
    ...operators,
    http.post('*/api/admin/verify', () =>
      HttpResponse.json({
        leadsChecked: 3,
        pending: 0,
        failed: 1,
        differingCount: 1,
        differing: [{ leadId: 'l1', what: 'score is 5, should be 4' }],
        ok: false,
      }),
    ),
  );
  open();
  await userEvent.click(await screen.findByRole('button', { name: 'Verify' }));
  expect(await screen.findByText(/1 of 3 leads differ/)).toBeInTheDocument();
  expect(screen.getByText('score is 5, should be 4')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Open lead' })).toHaveAttribute('href', '/leads/l1');
});

it('a viewer is told which role the rest needs, and nothing of it is asked', async () => {
  server.use(...everybody);
  open('/system', someone({}, 'viewer'));
  expect(await screen.findByText(/Needs the role admin or more/)).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Verify' })).not.toBeInTheDocument();
});
