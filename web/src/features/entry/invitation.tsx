import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';

import { answer, client } from '@/api/client';
import { isApiError } from '@/api/errors';
import { isReturning, meQuery } from '@/api/session';
import { Button } from '@/components/ui/button';
import { Segments } from '@/components/ui/form';
import { Notice } from '@/components/ui/states';

import { forgetToken, hideToken, linkToken } from './link-token';
import { aboveForm, Entry, EntryField, EntryForm, fieldOf, PASSWORD_HINT, useEnter } from './parts';

type Way = 'new' | 'account';

export function AcceptInvitationPage() {
  const [token] = useState(() => linkToken('accept-invitation'));
  useEffect(hideToken, []);
  if (token === null) {
    return (
      <Entry title="Accept an invitation">
        <Notice icon={TriangleAlert} tone="warn">
          This address lacks the part that proves you were invited. Open the link in the mail as a
          whole, or ask for another invitation.
        </Notice>
      </Entry>
    );
  }
  return <Accept token={token} />;
}

function Accept({ token }: { token: string }) {
  const enter = useEnter();
  const me = useQuery({ ...meQuery, enabled: isReturning(), retry: false });
  const [way, setWay] = useState<Way>('new');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const accept = useMutation({
    mutationFn: (asNew: boolean) =>
      answer(
        client.POST('/api/auth/accept-invitation', {
          body: asNew ? { token, name, password } : { token },
        }),
      ),
    onSuccess: (session) => {
      forgetToken('accept-invitation');
      enter(session, '/dashboard');
    },
  });
  const hasAccount = isApiError(accept.error, 'has_account');
  const error =
    fieldOf(accept.error, 'token') ??
    (hasAccount ? null : aboveForm(accept.error, ['name', 'password']));
  const signIn = (
    <Button asChild kind="primary" size="lg">
      <Link to="/login" search={{ next: '/accept-invitation' }}>
        Sign in to accept
      </Link>
    </Button>
  );

  if (me.data !== undefined) {
    return (
      <Entry title="Accept the invitation" lead={`You are signed in as ${me.data.user.email}.`}>
        <EntryForm
          action="Accept"
          busy={accept.isPending}
          error={error}
          onSubmit={() => accept.mutate(false)}
        >
          {isApiError(accept.error, 'other_address') && signIn}
        </EntryForm>
      </Entry>
    );
  }
  return (
    <Entry
      title="Accept the invitation"
      lead="You will work in the project that you were invited to."
    >
      <Segments
        label="Your account"
        value={way}
        onChange={setWay}
        className="self-start"
        choices={[
          { value: 'new', label: 'I am new here' },
          { value: 'account', label: 'I have an account' },
        ]}
      />
      {way === 'account' ? (
        signIn
      ) : (
        <EntryForm
          action="Create account and accept"
          busy={accept.isPending}
          error={error}
          onSubmit={() => accept.mutate(true)}
        >
          {hasAccount && (
            <Notice
              icon={TriangleAlert}
              tone="warn"
              action={
                <button
                  type="button"
                  className="font-medium underline"
                  onClick={() => setWay('account')}
                >
                  Sign in
                </button>
              }
            >
              The address that was invited has an account.
            </Notice>
          )}
          <EntryField
            name="name"
            label="Your name"
            error={fieldOf(accept.error, 'name')}
            autoComplete="name"
            value={name}
            onChange={setName}
          />
          <EntryField
            name="password"
            label="Password"
            hint={PASSWORD_HINT}
            error={fieldOf(accept.error, 'password')}
            kind="password"
            autoComplete="new-password"
            value={password}
            onChange={setPassword}
          />
        </EntryForm>
      )}
    </Entry>
  );
}
