import { useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';

import { answer, client, onSignedOut } from '@/api/client';
import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { logIn, meQuery, switchProject, useMe } from '@/api/session';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Field, Input } from '@/components/ui/form';

/**
 * Asks for the password when the session has ended in the middle of work. The page stays as it is
 * behind, and the calls that failed go on afterwards.
 */
export function SignInAgain() {
  const me = useMe();
  const queries = useQueryClient();
  const waiting = useRef<((signedIn: boolean) => void) | null>(null);
  const [open, setOpen] = useState(false);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  useEffect(
    () =>
      onSignedOut(
        () =>
          new Promise((resolve) => {
            waiting.current = resolve;
            setOpen(true);
          }),
      ),
    [],
  );

  const done = (signedIn: boolean) => {
    setOpen(false);
    setPassword('');
    setError(null);
    waiting.current?.(signedIn);
    waiting.current = null;
  };

  const resume = async (projectId: string | null | undefined) => {
    // Into the project that the page behind shows.
    if (me.project !== null && projectId !== me.project.id) await switchProject(me.project.id);
    done(true);
    void queries.invalidateQueries({ queryKey: keys.me });
  };

  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const session = await logIn(me.user.email, password);
      await resume(session.project?.id);
    } catch (failure) {
      setError(
        isApiError(failure, 'wrong_credentials') ? 'This is not the password.' : messageOf(failure),
      );
    }
    setBusy(false);
  };

  // Signed in elsewhere in the meantime: with Google, or in another window.
  const elsewhere = async () => {
    setBusy(true);
    try {
      const now = await answer(client.GET('/api/auth/me'));
      if (now.user.id === me.user.id) {
        queries.setQueryData(meQuery.queryKey, now);
        await resume(now.project?.id);
      } else {
        location.assign('/dashboard');
      }
    } catch (failure) {
      setError(
        isApiError(failure) && failure.status === 401 ? 'Not signed in yet.' : messageOf(failure),
      );
    }
    setBusy(false);
  };

  return (
    <Dialog
      open={open}
      onClose={() => done(false)}
      width="sm"
      title="Your session has ended"
      description="Sign in to go on where you are. Nothing on this page is lost."
    >
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Field label="Email">
          <Input value={me.user.email} readOnly autoComplete="username" />
        </Field>
        {me.user.hasPassword && (
          <Field label="Password" error={error}>
            <Input
              type="password"
              value={password}
              autoComplete="current-password"
              required
              // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog asks for nothing else
              autoFocus
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
        )}
        {!me.user.hasPassword && error !== null && (
          <p role="alert" className="text-xs text-danger-text">
            {error}
          </p>
        )}
        <div className="flex flex-wrap items-center justify-between gap-2">
          <a
            href="/login"
            target="_blank"
            rel="noreferrer"
            className="text-sm text-accent-text underline underline-offset-2"
          >
            Sign in another way, in a new window
          </a>
          <div className="ml-auto flex gap-2">
            <Button busy={busy} onClick={() => void elsewhere()}>
              I have signed in
            </Button>
            {me.user.hasPassword && (
              <Button kind="primary" type="submit" busy={busy}>
                Sign in
              </Button>
            )}
          </div>
        </div>
      </form>
    </Dialog>
  );
}
