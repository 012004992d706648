import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { expect, it } from 'vitest';

import { renderPage } from '@/testing/render';
import { get, http, HttpResponse, problem, server, someone } from '@/testing/server';

import { AcceptInvitationPage } from './invitation';
import { LoginPage } from './login';
import { ForgotPasswordPage } from './password';
import { RegisterPage } from './register';
import { entryView } from './view';

const options = (changes: object = {}) =>
  get('/api/auth/options', {
    signup: 'open',
    registrationOpen: true,
    googleClientId: null,
    mail: true,
    ...changes,
  });
const session = { ...someone(), token: 't' };
const open = (page: () => ReactNode, path: string) =>
  renderPage(page, { path, at: path, validateSearch: entryView.validate, shell: false });

it('a wrong password is told beside the field', async () => {
  server.use(
    options(),
    http.post('*/api/auth/login', () => problem(401, 'wrong_credentials', 'Wrong.')),
  );
  open(LoginPage, '/login');
  await userEvent.type(await screen.findByLabelText('Email'), 'ada@example.com');
  await userEvent.type(screen.getByLabelText('Password'), 'nope');
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByText('Email or password is wrong.')).toBeInTheDocument();
  expect(screen.getByLabelText('Password')).toBeInvalid();
});

it('every field of signing up has its error beside it', async () => {
  server.use(
    options(),
    http.post('*/api/auth/register', () =>
      problem(422, 'invalid', 'Some fields are wrong.', [
        { field: 'email', message: 'This address can’t get mail.' },
        { field: 'password', message: 'This is easy to guess.' },
      ]),
    ),
  );
  open(RegisterPage, '/register');
  await userEvent.type(await screen.findByLabelText('Your name'), 'Ada');
  await userEvent.type(screen.getByLabelText('Email'), 'ada@localhost');
  await userEvent.type(screen.getByLabelText('Password'), 'password');
  await userEvent.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText('This address can’t get mail.')).toBeInTheDocument();
  expect(screen.getByLabelText('Email')).toHaveAccessibleDescription(
    'This address can’t get mail.',
  );
  expect(screen.getByLabelText('Password')).toBeInvalid();
  expect(screen.queryByText('Some fields are wrong.')).toBeNull();
});

it('what is missing is told without asking, and gets the focus', async () => {
  server.use(options());
  open(LoginPage, '/login');
  await userEvent.type(await screen.findByLabelText('Email'), 'ada');
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(screen.getByText('This is no email address.')).toBeInTheDocument();
  expect(screen.getByText('Please fill this in.')).toBeInTheDocument();
  expect(screen.getByLabelText('Email')).toHaveFocus();
});

it('where nobody can register, the page says how one gets in', async () => {
  server.use(options({ registrationOpen: false }));
  open(RegisterPage, '/register');
  expect(await screen.findByText(/by invitation here/)).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Create account' })).toBeNull();
});

it('without mail a forgotten password is a matter of whoever runs it', async () => {
  server.use(options({ mail: false }));
  open(ForgotPasswordPage, '/forgot-password');
  expect(await screen.findByText('leadpulse users link')).toBeInTheDocument();
});

it('Google is a way in only where it is set up', async () => {
  server.use(options({ googleClientId: 'client' }));
  open(LoginPage, '/login');
  expect(await screen.findByRole('button', { name: 'Continue with Google' })).toBeInTheDocument();
});

it('somebody new accepts an invitation with a name and a password', async () => {
  const bodies: unknown[] = [];
  server.use(
    http.post('*/api/auth/accept-invitation', async ({ request }) => {
      bodies.push(await request.json());
      return HttpResponse.json(session);
    }),
  );
  history.replaceState(null, '', '/accept-invitation#token=abc');
  open(AcceptInvitationPage, '/accept-invitation');
  await userEvent.type(await screen.findByLabelText('Your name'), 'Grace');
  await userEvent.type(screen.getByLabelText('Password'), 'four unrelated quiet words');
  await userEvent.click(screen.getByRole('button', { name: 'Create account and accept' }));
  expect(bodies).toEqual([{ token: 'abc', name: 'Grace', password: 'four unrelated quiet words' }]);
});
