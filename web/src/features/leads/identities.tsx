import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { GitMerge, Undo2 } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { type Merge, mergesQuery, undoMerge } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { useMay } from '@/api/session';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { ErrorState } from '@/components/ui/states';
import { CopyButton, RelativeTime } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';

import { useOpen } from './controls';
import { Claimed } from './profile';

const SOME = 5;

/** By what the person is known, and which leads were found to be the same one. */
export function Identities({ lead }: { lead: Lead }) {
  const [all, setAll] = useState(false);
  const known = [
    ...(lead.email === null ? [] : [{ kind: 'Email', field: 'email', value: lead.email }]),
    ...(lead.userId === null ? [] : [{ kind: 'User id', field: 'userId', value: lead.userId }]),
    ...lead.anonymousIds.map((value) => ({ kind: 'Browser', field: '', value })),
  ];
  const shown = all ? known : known.slice(0, SOME);
  return (
    <div className="flex flex-col gap-4">
      {known.length === 0 ? (
        <p className="text-sm text-muted">Known by nothing but its id.</p>
      ) : (
        <ul className="flex flex-col">
          {shown.map(({ kind, field, value }) => (
            <li
              key={`${kind} ${value}`}
              className="grid min-h-8 grid-cols-[96px_minmax(0,1fr)_auto] items-center gap-3 text-sm"
            >
              <span className="text-muted">{kind}</span>
              <span className="flex min-w-0 items-center gap-1.5">
                <span className="truncate" title={value}>
                  {value}
                </span>
                {field !== '' &&
                  (lead.claimed.includes(field) ? (
                    <Claimed />
                  ) : (
                    <span className="shrink-0 text-xs text-muted">confirmed</span>
                  ))}
              </span>
              <CopyButton text={value} label={`Copy ${kind.toLowerCase()}`} />
            </li>
          ))}
        </ul>
      )}
      {known.length > SOME && (
        <Button kind="ghost" size="sm" className="-ml-2 self-start" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${known.length}`}
        </Button>
      )}
      <MergeList lead={lead} />
    </div>
  );
}

function MergeList({ lead }: { lead: Lead }) {
  const query = useQuery(mergesQuery(lead.id));
  if (query.isError && query.data === undefined) {
    return (
      <ErrorState
        error={query.error}
        title="The merges can’t be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const merges = query.data?.toReversed() ?? [];
  if (merges.length === 0) return null;
  return (
    <div>
      <h3 className="mb-1 text-xs text-muted">Merged leads</h3>
      <ul className="divide-y divide-line">
        {merges.map((merge) => (
          <OneMerge key={merge.id} merge={merge} />
        ))}
      </ul>
    </div>
  );
}

function OneMerge({ merge }: { merge: Merge }) {
  const may = useMay()('leads.write');
  const asked = useOpen();
  const queries = useQueryClient();
  const undo = useMutation({
    mutationFn: () => undoMerge(merge.id),
    onSuccess: () => {
      asked.close();
      toast('They are two leads again');
      return queries.invalidateQueries({ queryKey: keys.leads.all });
    },
  });
  return (
    <li className="flex items-center gap-2 py-2 text-sm">
      <GitMerge aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1">
        <span className="block truncate" title={merge.childId}>
          {merge.cause === 'manual' ? 'Merged by hand' : 'Merged by an event'}{' '}
          <span className="font-mono text-xs text-muted">{merge.childId.slice(-8)}</span>
        </span>
        <span className="text-xs text-muted">
          <RelativeTime at={merge.madeAt} />
          {merge.undoneAt !== null && (
            <>
              {' '}
              · undone <RelativeTime at={merge.undoneAt} />
            </>
          )}
        </span>
      </span>
      {may && merge.undoneAt === null && (
        <Button size="sm" icon={Undo2} onClick={asked.show}>
          Undo
        </Button>
      )}
      <ConfirmDialog
        open={asked.open}
        onClose={asked.close}
        onConfirm={() => undo.mutate()}
        title="Undo this merge?"
        action="Undo merge"
        danger={false}
        busy={undo.isPending}
        error={undo.isError ? messageOf(undo.error) : null}
      >
        Both become leads of their own again, each with its own events and score. No event joins
        them again by itself; you can merge them by hand.
      </ConfirmDialog>
    </li>
  );
}
