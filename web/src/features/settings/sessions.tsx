import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Monitor, Smartphone } from 'lucide-react';
import { useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { endSession, type OwnSession, sessionsQuery } from '@/api/settings';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';
import { count } from '@/lib/format';

import { device } from './device';

/** Ends it; that it has ended already is as good. */
async function end(id: string): Promise<void> {
  try {
    await endSession(id);
  } catch (error) {
    if (!isApiError(error, 'not_found')) throw error;
  }
}

export function SessionsSection() {
  const found = useQuery(sessionsQuery);
  const rows = found.data?.sessions ?? [];
  const others = rows.filter(({ current }) => !current);
  return (
    <Card
      title="Where you are signed in"
      aside={others.length > 0 && <EndOthers others={others} />}
      flush
    >
      {found.data === undefined ? (
        found.isError ? (
          <ErrorState
            error={found.error}
            title="Your sessions can’t be shown"
            onRetry={() => void found.refetch()}
          />
        ) : (
          <Loading label="Your sessions are loading">
            <Skeleton className="m-4 h-12" />
            <Skeleton className="m-4 h-12" />
          </Loading>
        )
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {[...rows.filter(({ current }) => current), ...others].map((session) => (
            <Row key={session.id} session={session} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Row({ session }: { session: OwnSession }) {
  const { agent, address, current, createdAt, lastSeenAt } = session;
  const queries = useQueryClient();
  const ending = useMutation({
    mutationFn: () => end(session.id),
    onSuccess: () => toast('That session has ended'),
    onError: toastError,
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  const { name, phone } = device(agent);
  const Icon = phone ? Smartphone : Monitor;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 text-sm">
      <Icon aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2">
          <span className="truncate font-medium" title={agent ?? undefined}>
            {name}
          </span>
          {current && <Badge tone="good">This one</Badge>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          <span>{address === null ? 'address unknown' : `from ${address}`}</span>
          <span>
            seen <RelativeTime at={lastSeenAt} />
          </span>
          <span>
            signed in <RelativeTime at={createdAt} />
          </span>
        </p>
      </div>
      {!current && (
        <Button
          size="sm"
          busy={ending.isPending}
          aria-label={`End the session ${name}${address === null ? '' : ` from ${address}`}`}
          onClick={() => ending.mutate()}
        >
          End
        </Button>
      )}
    </li>
  );
}

function EndOthers({ others }: { others: OwnSession[] }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const all = useMutation({
    mutationFn: async () => {
      for (const { id } of others) await end(id);
      return others.length;
    },
    onSuccess: (ended) => {
      setAsking(false);
      toast(`${count(ended, 'session')} ended`);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  return (
    <>
      <Button
        size="sm"
        onClick={() => {
          all.reset();
          setAsking(true);
        }}
      >
        End all others
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => all.mutate()}
        title={`End ${count(others.length, 'other session')}?`}
        action="End them"
        busy={all.isPending}
        error={all.isError ? messageOf(all.error) : null}
      >
        Each of these browsers and programs asks for the password within seconds. This one goes on,
        and keys of projects do, too.
      </ConfirmDialog>
    </>
  );
}
