import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Lock } from 'lucide-react';
import { useState } from 'react';

import { answer, client } from '@/api/client';
import { isApiError } from '@/api/errors';
import { optionsQuery } from '@/api/session';
import { Notice } from '@/components/ui/states';

import {
  aboveForm,
  Entry,
  EntryField,
  EntryForm,
  fieldOf,
  GoogleWay,
  LINK,
  PASSWORD_HINT,
  useEnter,
} from './parts';
import { safeNext } from './view';

const route = getRouteApi('/register');

export function RegisterPage() {
  const { next } = route.useSearch();
  const enter = useEnter();
  const { data: options } = useQuery(optionsQuery);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [company, setCompany] = useState('');
  const register = useMutation({
    mutationFn: () =>
      answer(
        client.POST('/api/auth/register', {
          body: { name, email, password, ...(company.trim() !== '' && { company }) },
        }),
      ),
    onSuccess: (session) => enter(session, safeNext(next)),
  });
  const { error } = register;
  const taken = isApiError(error, 'email_taken') ? error.message : undefined;
  const signIn = (
    <>
      You have an account?{' '}
      <Link to="/login" search={{ next }} className={LINK}>
        Sign in
      </Link>
    </>
  );

  if (options?.registrationOpen === false) {
    return (
      <Entry title="Sign up" below={signIn}>
        <Notice icon={Lock}>
          New accounts come by invitation here. Ask somebody who works with LeadPulse already: the
          link in the invitation makes yours.
        </Notice>
      </Entry>
    );
  }
  return (
    <Entry
      title="Sign up"
      lead="A project and its key for sending events come with the account."
      below={signIn}
    >
      <GoogleWay next={safeNext(next)} />
      <EntryForm
        action="Create account"
        busy={register.isPending}
        error={
          taken === undefined ? aboveForm(error, ['name', 'email', 'password', 'company']) : null
        }
        onSubmit={() => register.mutate()}
      >
        <EntryField
          name="name"
          label="Your name"
          error={fieldOf(error, 'name')}
          autoComplete="name"
          value={name}
          onChange={setName}
        />
        <EntryField
          name="email"
          label="Email"
          error={taken ?? fieldOf(error, 'email')}
          kind="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
        />
        <EntryField
          name="password"
          label="Password"
          hint={PASSWORD_HINT}
          error={fieldOf(error, 'password')}
          kind="password"
          autoComplete="new-password"
          value={password}
          onChange={setPassword}
        />
        <EntryField
          name="organization"
          label="Company"
          hint="What the first project is called; can be left empty."
          error={fieldOf(error, 'company')}
          optional
          autoComplete="organization"
          value={company}
          onChange={setCompany}
        />
      </EntryForm>
    </Entry>
  );
}
