import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, Mail } from 'lucide-react';

import { isApiError, messageOf } from '@/api/errors';
import { meQuery, optionsQuery, useMe } from '@/api/session';
import { changeName, sendVerification } from '@/api/settings';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { Avatar } from '@/components/ui/person';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';

import { DraftForm, otherThan, useDraft } from './draft';

export function ProfileSection() {
  const { user } = useMe();
  const queries = useQueryClient();
  const draft = useDraft({ name: user.name });
  const change = useMutation({
    mutationFn: () => changeName(draft.values.name),
    onSuccess: (me) => {
      queries.setQueryData(meQuery.queryKey, me);
      draft.reset();
      toast('Your name is saved');
    },
  });
  const { error } = change;
  return (
    <>
      <Card title="You">
        <DraftForm
          dirty={draft.dirty}
          busy={change.isPending}
          error={otherThan(error, 'name')}
          onSave={() => change.mutate()}
          onReset={() => {
            draft.reset();
            change.reset();
          }}
        >
          <div className="flex items-end gap-4">
            <Avatar person={user} size="lg" className="mb-0.5" />
            <Field
              label="Name"
              className="flex-1"
              error={isApiError(error) ? error.field('name') : null}
            >
              <Input
                value={draft.values.name}
                autoComplete="name"
                onChange={(event) => draft.set({ name: event.target.value })}
              />
            </Field>
          </div>
        </DraftForm>
      </Card>
      <EmailCard />
    </>
  );
}

function EmailCard() {
  const { user } = useMe();
  const { data: options } = useQuery(optionsQuery);
  const send = useMutation({ mutationFn: sendVerification });
  const { emailVerified } = user;
  return (
    <Card
      title="Email"
      aside={
        <Badge tone={emailVerified ? 'good' : 'warn'} icon={emailVerified ? CircleCheck : Mail}>
          {emailVerified ? 'Verified' : 'Not verified'}
        </Badge>
      }
    >
      <div className="flex flex-col gap-3 text-sm">
        <p className="truncate font-medium" title={user.email}>
          {user.email}
        </p>
        {!emailVerified && (
          <>
            <p className="text-muted">
              Until the address is verified you can’t invite people or make secret keys. The link in
              the mail does it.
            </p>
            {options?.mail === false ? (
              <Notice tone="warn">
                This installation sends no mail. Whoever runs the server can verify the address with{' '}
                <code className="font-mono text-xs">leadpulse users link</code>.
              </Notice>
            ) : (
              <div className="flex flex-wrap items-center gap-3">
                <Button icon={Mail} busy={send.isPending} onClick={() => send.mutate()}>
                  Send the link again
                </Button>
                <span aria-live="polite" className="text-muted">
                  {send.isSuccess && 'On its way. Look into your spam folder, too.'}
                  {send.isError && (
                    <span className="text-danger-text">{messageOf(send.error)}</span>
                  )}
                </span>
              </div>
            )}
          </>
        )}
      </div>
    </Card>
  );
}
