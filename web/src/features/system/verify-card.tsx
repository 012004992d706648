import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Hammer, ShieldCheck } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { rebuildLead, rebuildProject, verifyScores, type VerifyReport } from '@/api/operations';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { Notice } from '@/components/ui/states';
import { toast, toastError } from '@/components/ui/toast';
import { count, number } from '@/lib/format';

/** Holds all scores against the raw events, and mends what differs. */
export function VerifyCard() {
  const verify = useMutation({ mutationFn: verifyScores });
  return (
    <Card
      title="Trust in the scores"
      aside={
        <div className="flex gap-2">
          <RebuildProject />
          <Button
            kind="primary"
            size="sm"
            icon={ShieldCheck}
            busy={verify.isPending}
            onClick={() => verify.mutate()}
          >
            Verify
          </Button>
        </div>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="max-w-prose text-sm text-muted">
          Verify folds every lead again from its raw events and compares score, stage and each entry
          of the ledger with what is stored. It changes nothing. About a minute for a million
          events.
        </p>
        <div aria-live="polite">
          {verify.isPending && <Notice>Every lead is held against its events…</Notice>}
          {verify.isError && (
            <Notice tone="danger" icon={CircleAlert}>
              {messageOf(verify.error)}
            </Notice>
          )}
          {verify.isSuccess && <Report report={verify.data} />}
        </div>
      </div>
    </Card>
  );
}

function Report({ report }: { report: VerifyReport }) {
  const { ok, leadsChecked, pending, failed, differingCount, differing } = report;
  const rest = [
    pending > 0 ? `${count(pending, 'lead')} with events that still wait` : null,
    failed > 0 ? `${count(failed, 'lead')} with failed work` : null,
  ].filter((part) => part !== null);
  return (
    <div className="flex flex-col gap-3">
      <Notice tone={ok ? 'good' : 'danger'} icon={ok ? CircleCheck : CircleAlert}>
        {ok
          ? `All right: the scores of ${count(leadsChecked, 'lead')} are what their events give.`
          : `${number(differingCount)} of ${count(leadsChecked, 'lead')} differ from what their events give.`}
        {rest.length > 0 && <> Left out: {rest.join(', ')}.</>}
      </Notice>
      {differing.length > 0 && (
        <ul
          aria-label="What differs"
          className="divide-y divide-line rounded-lg border border-line"
        >
          {differing.map(({ leadId, what }, index) => (
            <li
              key={`${leadId ?? 'project'}-${index}`}
              className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 text-sm"
            >
              <span className="min-w-0 flex-1 basis-64 break-words">{what}</span>
              {leadId !== null && <Mend leadId={leadId} />}
            </li>
          ))}
        </ul>
      )}
      {differingCount > differing.length && (
        <p className="text-xs text-muted">
          {number(differingCount - differing.length)} more are not listed; rebuild the project to
          mend all.
        </p>
      )}
    </div>
  );
}

function Mend({ leadId }: { leadId: string }) {
  const queries = useQueryClient();
  const rebuild = useMutation({
    mutationFn: () => rebuildLead(leadId),
    onSuccess: () => {
      toast('The lead will be folded again; verify once more in a moment');
      return queries.invalidateQueries({ queryKey: keys.leads.one(leadId) });
    },
    onError: toastError,
  });
  return (
    <span className="flex items-center gap-2">
      <Link
        to={`/leads/${leadId}` as '/'}
        className="rounded-sm text-xs font-medium text-accent-text underline underline-offset-2"
      >
        Open lead
      </Link>
      <Button
        size="sm"
        busy={rebuild.isPending}
        disabled={rebuild.isSuccess}
        onClick={() => rebuild.mutate()}
      >
        {rebuild.isSuccess ? 'Rebuilding' : 'Rebuild'}
      </Button>
    </span>
  );
}

function RebuildProject() {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const rebuild = useMutation({
    mutationFn: rebuildProject,
    onSuccess: ({ leads }) => {
      setAsking(false);
      toast(`${count(leads, 'lead')} will be folded again, in the background`);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.admin.all }),
  });
  return (
    <>
      <Button
        size="sm"
        icon={Hammer}
        onClick={() => {
          rebuild.reset();
          setAsking(true);
        }}
      >
        Rebuild all
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => rebuild.mutate()}
        title="Rebuild every lead?"
        action="Rebuild all"
        danger={false}
        busy={rebuild.isPending}
        error={rebuild.isError ? messageOf(rebuild.error) : null}
      >
        Every lead of the project is folded again from its first event, in the background. Scores
        that are right stay as they are, no event and no adjustment is lost, and new events go on
        being scored meanwhile.
      </ConfirmDialog>
    </>
  );
}
