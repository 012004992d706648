import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server, someone } from '@/testing/server';

import { SettingsPage } from './page';
import { settingsView } from './view';

const NOON = '2026-05-01T12:00:00Z';
const project = {
  id: 'p1',
  name: 'Engines',
  domain: null,
  timeZone: 'UTC',
  active: true,
  preset: 'leadpulse',
  role: 'owner',
  writeKey: 'pk_test',
  createdAt: NOON,
  deletedAt: null,
};
const settings = [
  get('/api/projects/p1', project),
  get('/api/projects/p1/sample-data', { present: false, leads: 0 }),
  get('/api/projects/p1/test-leads', { leads: 0 }),
];
const open = (section: string, me = someone()) =>
  renderPage(SettingsPage, {
    path: '/settings/$section',
    at: `/settings/${section}`,
    me,
    validateSearch: settingsView.validate,
  });

it('what the server refuses stands beside its field', async () => {
  server.use(
    ...settings,
    http.patch('*/api/projects/p1', () =>
      problem(422, 'invalid', 'Mend it.', [{ field: 'domain', message: 'is no domain' }]),
    ),
  );
  open('project');
  await userEvent.type(await screen.findByLabelText('Domain'), 'x x');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('is no domain')).toBeInTheDocument();
  expect(screen.getByLabelText('Domain')).toHaveValue('x x');
});

it('what is typed is not lost unasked', async () => {
  server.use(...settings);
  const { router } = open('project');
  await userEvent.type(await screen.findByLabelText('Name'), ' 2');
  await userEvent.click(screen.getByRole('link', { name: 'Appearance' }));
  const asked = await screen.findByRole('alertdialog');
  expect(router.state.location.pathname).toBe('/settings/project');
  await userEvent.click(within(asked).getByRole('button', { name: 'Leave' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/settings/appearance'));
});

it('a viewer reads the settings and is told why he changes none', async () => {
  server.use(...settings);
  open('project', someone({}, 'viewer'));
  expect(await screen.findByLabelText('Name')).toBeDisabled();
  expect(screen.getByRole('button', { name: 'Pause project' })).toBeDisabled();
  expect(screen.getByRole('button', { name: 'Delete project' })).toBeDisabled();
  expect(screen.getAllByText(/Needs the role/).length).toBeGreaterThan(0);
});

it('without mail an invitation says how the link is made', async () => {
  server.use(
    get('/api/projects/p1/invitations', { invitations: [], nextCursor: null }),
    http.post('*/api/projects/p1/invitations', () =>
      HttpResponse.json(
        {
          id: 'i1',
          email: 'bob@example.com',
          role: 'member',
          invitedBy: 'u1',
          createdAt: NOON,
          expiresAt: NOON,
          mailed: false,
        },
        { status: 201 },
      ),
    ),
  );
  open('invitations');
  await userEvent.type(await screen.findByLabelText('Email'), 'bob@example.com');
  await userEvent.click(screen.getByRole('button', { name: 'Send invitation' }));
  expect(
    await screen.findByText('leadpulse members invite bob@example.com --project p1 --role member'),
  ).toBeInTheDocument();
});

it('two new passwords that differ go nowhere', async () => {
  open('password');
  await userEvent.type(await screen.findByLabelText('Current password'), 'old');
  await userEvent.type(screen.getByLabelText('New password'), 'one');
  await userEvent.type(screen.getByLabelText('New password again'), 'two');
  await userEvent.click(screen.getByRole('button', { name: 'Change password' }));
  expect(await screen.findByText('The two are not the same.')).toBeInTheDocument();
});

it('the audit log is for owners', async () => {
  open('audit', someone({}, 'viewer'));
  expect(await screen.findByText('The audit log is for the owner.')).toBeInTheDocument();
});
