import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCcw, Trash2, Undo2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import {
  discardJob,
  type FailedJob,
  jobEventQuery,
  jobLeadQuery,
  replayJob,
  restoreEvent,
} from '@/api/operations';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog, Sheet } from '@/components/ui/dialog';
import { Avatar, PersonName } from '@/components/ui/person';
import { EmptyState, Skeleton } from '@/components/ui/states';
import { CodeBlock, RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';

import { cause } from './cause';

type Props = { job: FailedJob | undefined; missing: boolean; onClose: () => void };

/** One piece of failed work: why, of whom, by which event, and what to do with it. */
export function JobSheet({ job, missing, onClose }: Props) {
  return (
    <Sheet open={job !== undefined || missing} onClose={onClose} title="Failed work">
      {job === undefined ? (
        <EmptyState title="This work isn’t in the list any more">
          Somebody has replayed or discarded it: look among those.
        </EmptyState>
      ) : (
        <Job key={job.id} job={job} onClose={onClose} />
      )}
    </Sheet>
  );
}

const STATE = {
  open: { label: 'Open', tone: 'danger' },
  replayed: { label: 'Replayed', tone: 'good' },
  discarded: { label: 'Discarded', tone: 'neutral' },
} as const;

function Job({ job, onClose }: { job: FailedJob; onClose: () => void }) {
  const { label, tone } = STATE[job.state];
  return (
    <div className="flex flex-col gap-5 p-4">
      <p className="text-base font-semibold break-words">{cause(job.error)}</p>
      <Steps job={job} onClose={onClose} />
      <dl className="grid grid-cols-[7rem_1fr] items-center gap-x-4 gap-y-2.5 text-sm">
        <Line label="State">
          <Badge tone={tone}>{label}</Badge>
          {job.settledAt !== null && (
            <RelativeTime at={job.settledAt} className="ml-2 text-xs text-muted" />
          )}
        </Line>
        <Line label="Lead">
          <JobLead leadId={job.leadId} />
        </Line>
        <Line label="Tries">{job.attempts}</Line>
        <Line label="First failed">
          <RelativeTime at={job.firstFailedAt} />
        </Line>
        <Line label="Given up">
          <RelativeTime at={job.failedAt} />
        </Line>
      </dl>
      <section className="flex flex-col gap-2">
        <h3 className="text-sm font-semibold">Error</h3>
        <CodeBlock code={job.error} label="Error" />
      </section>
      <section className="flex flex-col gap-2">
        <h3 className="text-sm font-semibold">Event at fault</h3>
        {job.event === null ? (
          <p className="text-sm text-muted">No single event is known to be the cause.</p>
        ) : (
          <JobEvent eventId={job.event} />
        )}
      </section>
    </div>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0 tabular">{children}</dd>
    </>
  );
}

function JobLead({ leadId }: { leadId: string }) {
  const { data, isPending } = useQuery(jobLeadQuery(leadId));
  if (isPending) return <Skeleton className="h-7 w-40" />;
  if (data === undefined) return <span className="font-mono text-xs">{leadId}</span>;
  return (
    <Link
      to={`/leads/${leadId}` as '/'}
      className="inline-flex max-w-full items-center gap-2 rounded-md hover:underline"
    >
      <Avatar person={data} size="sm" />
      <PersonName person={{ ...data, company: null, email: data.name ? null : data.email }} />
    </Link>
  );
}

function JobEvent({ eventId }: { eventId: string }) {
  const { data, isPending, error } = useQuery(jobEventQuery(eventId));
  if (isPending) return <Skeleton className="h-24" />;
  if (error) return <p className="text-sm text-muted">{messageOf(error)}</p>;
  return <CodeBlock code={JSON.stringify(data, null, 2)} label="Event" />;
}

function Steps({ job, onClose }: { job: FailedJob; onClose: () => void }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const settled = () => queries.invalidateQueries({ queryKey: keys.admin.all });
  const restore = useMutation({
    mutationFn: (event: string) => restoreEvent(event),
    onSuccess: () => {
      onClose();
      toast('The event counts again');
    },
    onError: toastError,
    onSettled: settled,
  });
  const replay = useMutation({
    mutationFn: () => replayJob(job.id),
    onSuccess: () => {
      onClose();
      toast('The lead will be scored again');
    },
    onError: toastError,
    onSettled: settled,
  });
  const discard = useMutation({
    mutationFn: () => discardJob(job.id),
    onSuccess: () => {
      const { event } = job;
      setAsking(false);
      onClose();
      toast(
        'Discarded',
        event === null ? undefined : { label: 'Undo', run: () => restore.mutate(event) },
      );
    },
    onSettled: settled,
  });
  if (job.state === 'replayed') return null;
  if (job.state === 'discarded') {
    const { event } = job;
    if (event === null) return null;
    return (
      <div className="flex flex-wrap items-center gap-3">
        <Button icon={Undo2} busy={restore.isPending} onClick={() => restore.mutate(event)}>
          Let the event count again
        </Button>
      </div>
    );
  }
  return (
    <div className="flex flex-wrap gap-2">
      <Button
        kind="primary"
        icon={RotateCcw}
        busy={replay.isPending}
        onClick={() => replay.mutate()}
      >
        Replay
      </Button>
      <Button
        icon={Trash2}
        onClick={() => {
          discard.reset();
          setAsking(true);
        }}
      >
        Discard
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => discard.mutate()}
        title="Discard this work?"
        action="Discard"
        busy={discard.isPending}
        error={discard.isError ? messageOf(discard.error) : null}
      >
        {job.event === null
          ? 'No single event is at fault, so none is taken out: the lead keeps the score that it has, and this letter is closed.'
          : 'The event at fault no longer counts for its lead’s score; all other events do. It stays stored, and can be let in again from the list of discarded work.'}
      </ConfirmDialog>
    </div>
  );
}
