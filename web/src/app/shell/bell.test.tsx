import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, server } from '@/testing/server';

import { Bell } from './bell';

const told = (id: string, name: string, at: string, seen: boolean, mine = false) => ({
  id,
  leadId: `lead-${id}`,
  name,
  email: null,
  company: null,
  owner: null,
  mine,
  from: 'warm',
  to: 'hot',
  score: 40,
  at,
  seen,
});

it('looking at what happened counts up to the newest, whatever stands first', async () => {
  const bodies: unknown[] = [];
  server.use(
    get('/api/notifications', {
      unseen: 2,
      nextCursor: null,
      notifications: [
        told('a', 'Mine', '2026-05-01T10:00:00Z', false, true),
        told('b', 'Newest', '2026-05-01T12:00:00.5Z', false),
        told('c', 'Old', '2026-04-01T12:00:00Z', true),
      ],
    }),
    http.post('*/api/notifications', async ({ request }) => {
      bodies.push(await request.json());
      return HttpResponse.json({ unseen: 0 });
    }),
  );
  renderPage(Bell);
  await userEvent.click(await screen.findByRole('button', { name: /2 leads became hot/ }));
  expect(await screen.findByText('Yours')).toBeInTheDocument();
  expect(screen.getAllByText('new')).toHaveLength(2);
  expect(bodies).toEqual([{ seenUntil: '2026-05-01T12:00:00.5Z' }]);
  expect(await screen.findByRole('button', { name: /Nothing new/ })).toBeInTheDocument();
});

it('nothing is looked at when nothing is new', async () => {
  server.use(get('/api/notifications', { unseen: 0, nextCursor: null, notifications: [] }));
  renderPage(Bell);
  await userEvent.click(await screen.findByRole('button', { name: /Nothing new/ }));
  expect(await screen.findByText('Nothing yet')).toBeInTheDocument();
});
