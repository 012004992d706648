import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Eye, EyeOff, Fingerprint, RotateCw } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { type IdentitySetting, identityQuery, setIdentity } from '@/api/project-keys';
import { useProject, useRefusal } from '@/api/session';
import { Badge } from '@/components/ui/badge';
import { Button, IconButton } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { Tabs } from '@/components/ui/tabs';
import { CodeBlock, CopyButton } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';

import { SIGNING } from './snippets';

/** Whether browsers must prove who somebody is. */
export function IdentityPanel() {
  const project = useProject();
  const refused = useRefusal()('identity');
  const found = useQuery({ ...identityQuery(project.id), enabled: refused === null });
  if (refused !== null) {
    return (
      <Card>
        <EmptyState icon={Fingerprint} title="Signed identities are for admins">
          {refused}
        </EmptyState>
      </Card>
    );
  }
  const { data, error } = found;
  if (data === undefined) {
    return (
      <Card>
        {error ? (
          <ErrorState error={error} onRetry={() => void found.refetch()} />
        ) : (
          <Loading label="Identity verification is loading">
            <div className="flex flex-col gap-3">
              <Skeleton className="h-6 w-1/3" />
              <Skeleton className="h-9" />
              <Skeleton className="h-40" />
            </div>
          </Loading>
        )}
      </Card>
    );
  }
  return <Setting on={data.identityVerification === 'on'} secret={data.secret} />;
}

function Setting({ on, secret }: { on: boolean; secret: string }) {
  const project = useProject();
  const queries = useQueryClient();
  const [asks, setAsks] = useState<'turn' | 'renew' | null>(null);
  const [code, setCode] = useState<(typeof SIGNING)[number]['language']>('node');
  const saving = useMutation({
    mutationFn: (body: IdentitySetting) => setIdentity(project.id, body),
    onSuccess: (answered, { newSecret }) => {
      queries.setQueryData(keys.project.part(project.id, 'identity-verification'), answered);
      setAsks(null);
      toast(
        newSecret
          ? 'There is a new identity secret'
          : answered.identityVerification === 'on'
            ? 'Signed identities are demanded'
            : 'Signed identities are demanded no more',
      );
    },
  });
  const save = (verification: 'on' | 'off', newSecret: boolean) =>
    saving.mutate({ identityVerification: verification, newSecret });
  const failed = saving.isError ? messageOf(saving.error) : null;
  return (
    <Card
      flush
      title={
        <span className="inline-flex items-center gap-2">
          Identity verification <Badge tone={on ? 'good' : 'neutral'}>{on ? 'On' : 'Off'}</Badge>
        </span>
      }
      aside={
        <Button size="sm" onClick={() => setAsks('turn')}>
          {on ? 'Switch off' : 'Switch on'}
        </Button>
      }
    >
      <div className="flex flex-col gap-4 px-4 pb-4">
        <p className="max-w-prose text-sm text-muted">
          Anybody can read a write key and say “I am ann@example.com” with it. With this on, a write
          key names a person only together with a{' '}
          <code className="font-mono text-xs">userHash</code> that your server has made with the
          secret below: so only people who are logged in with you are who they say. Anonymous events
          and secret keys need none.
        </p>
        <Secret value={secret} onRenew={() => setAsks('renew')} />
      </div>
      <div className="border-t border-line">
        <Tabs
          label="How to sign"
          value={code}
          onChange={setCode}
          tabs={SIGNING.map(({ language, label, code: shown }) => ({
            value: language,
            label,
            content: (
              <div className="p-4">
                <CodeBlock label={`Signing, ${label}`} code={shown} />
              </div>
            ),
          }))}
        />
      </div>
      <ConfirmDialog
        open={asks === 'turn'}
        danger={!on}
        onClose={() => setAsks(null)}
        onConfirm={() => save(on ? 'off' : 'on', false)}
        title={on ? 'Demand signatures no more?' : 'Demand signatures?'}
        action={on ? 'Switch off' : 'Switch on'}
        busy={saving.isPending}
        error={failed}
      >
        {on
          ? 'Whoever reads a write key can then say to be anybody; what they say counts as a claim.'
          : 'From then on events that name a person by a write key without the right userHash are refused, and lost. Let your pages send it first.'}
      </ConfirmDialog>
      <ConfirmDialog
        open={asks === 'renew'}
        onClose={() => setAsks(null)}
        onConfirm={() => save(on ? 'on' : 'off', true)}
        title="Make a new secret?"
        action="Make a new secret"
        busy={saving.isPending}
        error={failed}
      >
        The old one signs nothing from then on, and can’t be had back: your server needs the new one
        at once.
      </ConfirmDialog>
    </Card>
  );
}

function Secret({ value, onRenew }: { value: string; onRenew: () => void }) {
  const [shown, setShown] = useState(false);
  return (
    <div className="flex flex-col gap-1.5">
      <span className="text-sm font-medium">Identity secret</span>
      <span className="flex h-9 items-center gap-1 rounded-md border border-line bg-subtle pr-1 pl-3">
        <code className="min-w-0 flex-1 truncate font-mono text-sm">
          {shown ? value : '•'.repeat(24)}
        </code>
        <IconButton
          size="sm"
          icon={shown ? EyeOff : Eye}
          label={shown ? 'Hide the secret' : 'Show the secret'}
          onClick={() => setShown(!shown)}
        />
        <CopyButton text={value} label="Copy the identity secret" />
        <IconButton size="sm" icon={RotateCw} label="Make a new secret" onClick={onRenew} />
      </span>
      <p className="text-xs text-muted">It belongs on your server, in no page.</p>
    </div>
  );
}
