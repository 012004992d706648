import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, MailCheck, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';

import { answer, client } from '@/api/client';
import { isApiError, messageOf } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { Loading, Notice, Skeleton } from '@/components/ui/states';

import { forgetToken, hideToken, linkToken } from './link-token';
import { Entry } from './parts';

export function VerifyEmailPage() {
  const [token] = useState(() => linkToken('verify-email'));
  useEffect(hideToken, []);
  const verifying = useQuery({
    queryKey: ['verify-email', token],
    queryFn: async () => {
      const told = await answer(client.POST('/api/auth/verify-email', { body: { token } }));
      forgetToken('verify-email');
      return told;
    },
    enabled: token !== null,
    retry: false,
    // A link works once.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const { error } = verifying;
  const stranger = isApiError(error) && error.status === 401;

  if (token !== null && verifying.isPending) {
    return (
      <Entry title="Your address is being verified">
        <Loading label="Verifying">
          <Skeleton className="h-10 w-full" />
        </Loading>
      </Entry>
    );
  }
  if (verifying.isSuccess) {
    return (
      <Entry title="Your address is verified">
        <Notice icon={CircleCheck} tone="good">
          You can invite people and make secret keys now.
        </Notice>
        <OpenDashboard />
      </Entry>
    );
  }
  if (stranger) {
    return (
      <Entry title="Sign in to verify your address">
        <Notice icon={TriangleAlert}>
          The link works for who is signed in to the account that it was mailed for. If you have
          made no account, there is nothing to do.
        </Notice>
        <Button asChild kind="primary" size="lg">
          <Link to="/login" search={{ next: '/verify-email' }}>
            Sign in
          </Link>
        </Button>
      </Entry>
    );
  }
  return <AnotherLink reason={error === null ? null : messageOf(error)} />;
}

function AnotherLink({ reason }: { reason: string | null }) {
  const sending = useMutation({
    mutationFn: () => answer(client.POST('/api/auth/verify-email', { body: {} })),
  });
  return (
    <Entry title="Verify your address" lead="A link in a mail proves that the address is yours.">
      {reason !== null && !sending.isSuccess && (
        <Notice icon={TriangleAlert} tone="danger">
          {reason}
        </Notice>
      )}
      {sending.error !== null && (
        <Notice icon={TriangleAlert} tone="danger">
          {messageOf(sending.error)}
        </Notice>
      )}
      {sending.isSuccess ? (
        <Notice icon={MailCheck} tone="good">
          {sending.data.message}
        </Notice>
      ) : (
        <Button kind="primary" size="lg" busy={sending.isPending} onClick={() => sending.mutate()}>
          Send another link
        </Button>
      )}
      <OpenDashboard />
    </Entry>
  );
}

function OpenDashboard() {
  return (
    <Button asChild size="lg">
      <a href="/dashboard">Open the dashboard</a>
    </Button>
  );
}
