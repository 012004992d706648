import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server } from '@/testing/server';

import { LeaderboardPage } from './page';
import { leaderboardView } from './view';

const lead = (id: string, name: string, currentScore: number) => ({
  id,
  name,
  email: null,
  company: null,
  currentScore,
  leadStage: 'hot',
  eventsLast24h: 3,
  risk: 'low',
  lastEventAt: '2026-05-01T12:00:00Z',
});
const stages = get('/api/leaderboard/by-stage', { cold: 3, warm: 2, hot: 1, qualified: 0 });
const open = (at = '/leaderboard') =>
  renderPage(LeaderboardPage, {
    path: '/leaderboard',
    at,
    validateSearch: leaderboardView.validate,
  });

it('leads stand in their order with their scores', async () => {
  server.use(
    stages,
    get('/api/leaderboard', { leads: [lead('a', 'Ada', 91.25), lead('b', 'Bob', 40)] }),
  );
  open();
  await screen.findByText('Ada');
  const [, first, second] = screen.getAllByRole('row').map((row) => row.textContent);
  expect(first).toContain('Ada');
  expect(first).toContain('91.3');
  expect(second).toContain('Bob');
});

it('how many are shown stands in the address', async () => {
  const limits: (string | null)[] = [];
  server.use(
    stages,
    http.get('*/api/leaderboard', ({ request }) => {
      limits.push(new URL(request.url).searchParams.get('limit'));
      return HttpResponse.json({ leads: [lead('a', 'Ada', 91)] });
    }),
  );
  const { router } = open('/leaderboard?top=50');
  await screen.findByText('Ada');
  await userEvent.click(screen.getByRole('radio', { name: 'Top 10' }));
  expect(router.state.location.search).toEqual({ top: '10' });
  expect(limits).toEqual(['50', '10']);
});

it('an empty project says what to do', async () => {
  server.use(stages, get('/api/leaderboard', { leads: [] }));
  open();
  expect(await screen.findByText('Nobody has a score yet')).toBeInTheDocument();
});

it('an error is told with its request id, and can be tried again', async () => {
  let calls = 0;
  server.use(
    stages,
    http.get('*/api/leaderboard', () => {
      calls += 1;
      return calls === 1
        ? problem(500, 'internal', 'The error was recorded.')
        : HttpResponse.json({ leads: [lead('a', 'Ada', 91)] });
    }),
  );
  open();
  expect(await screen.findByText('req_test')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Ada')).toBeInTheDocument();
});
