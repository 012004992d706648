import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { MailCheck, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';

import { answer, client } from '@/api/client';
import { optionsQuery } from '@/api/session';
import { Notice } from '@/components/ui/states';

import { forgetToken, hideToken, linkToken } from './link-token';
import {
  aboveForm,
  Entry,
  EntryField,
  EntryForm,
  fieldOf,
  LINK,
  PASSWORD_HINT,
  useEnter,
} from './parts';

const BACK = (
  <Link to="/login" className={LINK}>
    Back to sign in
  </Link>
);

export function ForgotPasswordPage() {
  const { data: options } = useQuery(optionsQuery);
  const [email, setEmail] = useState('');
  const forgot = useMutation({
    mutationFn: () => answer(client.POST('/api/auth/forgot-password', { body: { email } })),
  });
  if (options?.mail === false) {
    return (
      <Entry title="Forgot your password" below={BACK}>
        <Notice icon={TriangleAlert} tone="warn">
          This installation sends no mail. Whoever runs it makes a link for you with{' '}
          <code className="font-mono text-xs">leadpulse users link</code> and your address.
        </Notice>
      </Entry>
    );
  }
  if (forgot.isSuccess) {
    return (
      <Entry title="Look into your mail" below={BACK}>
        <Notice icon={MailCheck} tone="good">
          If {email} has an account, a link to set a new password is on its way. It works for an
          hour.
        </Notice>
      </Entry>
    );
  }
  return (
    <Entry title="Forgot your password" lead="We mail you a link to set a new one." below={BACK}>
      <EntryForm
        action="Send the link"
        busy={forgot.isPending}
        error={aboveForm(forgot.error, ['email'])}
        onSubmit={() => forgot.mutate()}
      >
        <EntryField
          name="email"
          label="Email"
          error={fieldOf(forgot.error, 'email')}
          kind="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
        />
      </EntryForm>
    </Entry>
  );
}

export function ResetPasswordPage() {
  const enter = useEnter();
  const [token] = useState(() => linkToken('reset-password'));
  useEffect(hideToken, []);
  const [password, setPassword] = useState('');
  const reset = useMutation({
    mutationFn: (given: string) =>
      answer(client.POST('/api/auth/reset-password', { body: { token: given, password } })),
    onSuccess: (session) => {
      forgetToken('reset-password');
      enter(session, '/dashboard');
    },
  });
  const another = (
    <Link to="/forgot-password" className={LINK}>
      Ask for another link
    </Link>
  );
  if (token === null) {
    return (
      <Entry title="Set a new password" below={another}>
        <Notice icon={TriangleAlert} tone="warn">
          This address lacks the part that proves it is you. Open the link in the mail as a whole.
        </Notice>
      </Entry>
    );
  }
  const spent = fieldOf(reset.error, 'token');
  return (
    <Entry
      title="Set a new password"
      lead="Everybody who is signed in to your account elsewhere is signed out by it."
      below={another}
    >
      <EntryForm
        action="Set password and sign in"
        busy={reset.isPending}
        error={spent ?? aboveForm(reset.error, ['password'])}
        onSubmit={() => reset.mutate(token)}
      >
        <EntryField
          name="password"
          label="New password"
          hint={PASSWORD_HINT}
          error={fieldOf(reset.error, 'password')}
          kind="password"
          autoComplete="new-password"
          value={password}
          onChange={setPassword}
        />
      </EntryForm>
    </Entry>
  );
}
