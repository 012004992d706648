import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { isApiError } from '@/api/errors';
import { useMe } from '@/api/session';
import { changePassword, sessionsQuery } from '@/api/settings';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';

import { DraftForm, otherThan, useDraft } from './draft';

export function PasswordSection() {
  const { user } = useMe();
  return (
    <Card title={user.hasPassword ? 'Change the password' : 'Password'}>
      {user.hasPassword ? (
        <PasswordForm />
      ) : (
        <div className="flex flex-col items-start gap-3 text-sm">
          <p className="text-muted">
            Your account has no password: you sign in with Google. To have one as well, ask for a
            link to your address.
          </p>
          <Button asChild>
            <a href="/forgot-password">Set a password</a>
          </Button>
        </div>
      )}
    </Card>
  );
}

function PasswordForm() {
  const { user } = useMe();
  const queries = useQueryClient();
  const draft = useDraft({ current: '', next: '', again: '' });
  const [told, setTold] = useState(false);
  const { current, next, again } = draft.values;
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      draft.reset();
      setTold(false);
      toast('The password is changed; all other sessions have ended');
      return queries.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
  });
  const { error } = change;
  const beside = (field: string) => (isApiError(error) ? error.field(field) : undefined);
  const reset = () => {
    draft.reset();
    change.reset();
    setTold(false);
  };
  return (
    <DraftForm
      dirty={draft.dirty}
      busy={change.isPending}
      save="Change password"
      error={otherThan(error, 'currentPassword', 'newPassword')}
      onReset={reset}
      onSave={() => {
        setTold(true);
        if (again === next) change.mutate();
      }}
    >
      <input type="hidden" autoComplete="username" value={user.email} readOnly />
      <Field label="Current password" error={beside('currentPassword')}>
        <Input
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={(event) => draft.set({ current: event.target.value })}
        />
      </Field>
      <Field label="New password" error={beside('newPassword')}>
        <Input
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={(event) => draft.set({ next: event.target.value })}
        />
      </Field>
      <Field
        label="New password again"
        error={told && again !== next ? 'The two are not the same.' : null}
      >
        <Input
          type="password"
          autoComplete="new-password"
          value={again}
          onChange={(event) => draft.set({ again: event.target.value })}
        />
      </Field>
      <Notice>All other browsers and programs with your account have to sign in again.</Notice>
    </DraftForm>
  );
}
