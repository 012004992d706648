import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { answer, client } from '@/api/client';
import { isApiError } from '@/api/errors';
import { logIn } from '@/api/session';

import { type FromGoogle, takeFromGoogle } from './google';
import {
  aboveForm,
  Entry,
  EntryField,
  EntryForm,
  fieldOf,
  GoogleWay,
  LINK,
  useEnter,
} from './parts';
import { safeNext } from './view';

const route = getRouteApi('/login');

export function LoginPage() {
  const { next } = route.useSearch();
  const enter = useEnter();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => logIn(email, password),
    onSuccess: (session) => enter(session, safeNext(next)),
  });
  const google = useMutation({
    mutationFn: async (told: FromGoogle) => {
      if ('error' in told) throw new Error(told.error);
      const { idToken } = told;
      return answer(client.POST('/api/auth/google', { body: { idToken } }));
    },
    onSuccess: (session, told) => enter(session, safeNext('next' in told ? told.next : undefined)),
  });

  const arrive = useRef(google.mutate);
  useEffect(() => {
    const told = takeFromGoogle();
    if (told !== null) arrive.current(told);
  }, []);

  const wrong = isApiError(login.error, 'wrong_credentials');
  const googleError =
    google.error === null || isApiError(google.error)
      ? aboveForm(google.error, [])
      : google.error.message;
  const error = googleError ?? (wrong ? null : aboveForm(login.error, ['email', 'password']));
  return (
    <Entry
      title="Sign in"
      below={
        <>
          No account yet?{' '}
          <Link to="/register" search={{ next }} className={LINK}>
            Sign up
          </Link>
        </>
      }
    >
      <GoogleWay next={safeNext(next)} />
      <EntryForm
        action="Sign in"
        busy={login.isPending || google.isPending}
        error={error}
        onSubmit={() => login.mutate()}
      >
        <EntryField
          name="email"
          label="Email"
          error={fieldOf(login.error, 'email')}
          kind="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
        />
        <EntryField
          name="password"
          label="Password"
          error={wrong ? 'Email or password is wrong.' : fieldOf(login.error, 'password')}
          aside={
            <Link to="/forgot-password" className={`${LINK} text-xs`}>
              Forgot it?
            </Link>
          }
          kind="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
      </EntryForm>
    </Entry>
  );
}
