import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, RotateCcw } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { type FailedJob, failedJobsQuery, type JobState } from '@/api/operations';
import { Button } from '@/components/ui/button';
import { type Column, DataTable } from '@/components/ui/data-table';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Segments } from '@/components/ui/form';
import { LoadMore } from '@/components/ui/layout';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';
import { count } from '@/lib/format';

import { cause } from './cause';
import { JobSheet } from './job-sheet';
import { replayAll } from './replay';

const COLUMNS: Column<FailedJob>[] = [
  {
    id: 'cause',
    header: 'Cause',
    min: 280,
    grow: 3,
    phone: 'title',
    cell: ({ error }) => (
      <span className="block truncate font-medium" title={cause(error)}>
        {cause(error)}
      </span>
    ),
  },
  {
    id: 'lead',
    header: 'Lead',
    min: 120,
    grow: 1,
    phone: 'meta',
    cell: ({ leadId }) => (
      <span className="block truncate font-mono text-xs text-muted" title={leadId}>
        {leadId.slice(-12)}
      </span>
    ),
  },
  {
    id: 'attempts',
    header: 'Tries',
    min: 56,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ attempts }) => <span className="tabular">{attempts}</span>,
  },
  {
    id: 'failed',
    header: 'Given up',
    min: 112,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ failedAt }) => <RelativeTime at={failedAt} className="text-muted" />,
  },
];

const STATES: { value: JobState; label: string }[] = [
  { value: 'open', label: 'Open' },
  { value: 'discarded', label: 'Discarded' },
  { value: 'replayed', label: 'Replayed' },
];

const EMPTY: Record<JobState, { title: string; said: string }> = {
  open: {
    title: 'No dead letters',
    said: 'Work that fails six times in a row stands here with its cause, until somebody replays or discards it.',
  },
  discarded: {
    title: 'Nothing was discarded',
    said: 'Events that were taken out of the scores stand here, and can be let in again.',
  },
  replayed: {
    title: 'Nothing was replayed',
    said: 'Dead letters that were tried again, or that a later success has settled, stand here.',
  },
};

type Props = {
  state: JobState;
  open: string | undefined;
  onState: (state: JobState) => void;
  onOpen: (id: string | undefined) => void;
};

/** Work that failed for good: look at it, replay it, discard it. */
export function FailedJobs({ state, open, onState, onOpen }: Props) {
  const jobs = useInfiniteQuery(failedJobsQuery(state));
  const rows = jobs.data?.pages.flatMap((page) => page.jobs) ?? [];
  const shown = open === undefined ? undefined : rows.find(({ id }) => id === open);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <Segments label="State of the work" value={state} choices={STATES} onChange={onState} />
        {state === 'open' && rows.length > 0 && <ReplayAll />}
      </div>
      {jobs.isError && jobs.data === undefined ? (
        <ErrorState
          error={jobs.error}
          title="Failed work can’t be shown"
          onRetry={() => void jobs.refetch()}
        />
      ) : (
        <DataTable
          label="Failed work"
          rows={rows}
          rowKey={({ id }) => id}
          columns={COLUMNS}
          loading={jobs.isPending ? 3 : false}
          current={open ?? null}
          onOpen={({ id }) => onOpen(id)}
          empty={
            <EmptyState icon={CircleCheck} title={EMPTY[state].title} className="py-10">
              {EMPTY[state].said}
            </EmptyState>
          }
          footer={
            rows.length > 0 && (
              <LoadMore
                shown={rows.length}
                more={jobs.hasNextPage}
                busy={jobs.isFetchingNextPage}
                onMore={() => void jobs.fetchNextPage()}
                what={rows.length === 1 ? 'piece of work' : 'pieces of work'}
              />
            )
          }
        />
      )}
      <JobSheet
        job={shown}
        missing={open !== undefined && shown === undefined && jobs.isSuccess}
        onClose={() => onOpen(undefined)}
      />
    </>
  );
}

function ReplayAll() {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState(0);
  const replay = useMutation({
    mutationFn: () => replayAll(setDone),
    onSuccess: (all) => {
      setAsking(false);
      toast(`${count(all, 'lead')} will be scored again`);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.admin.all }),
  });
  return (
    <>
      <Button
        icon={RotateCcw}
        size="sm"
        className="ml-auto"
        onClick={() => {
          setDone(0);
          replay.reset();
          setAsking(true);
        }}
      >
        Replay all
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => replay.mutate()}
        title="Replay all dead letters?"
        action={replay.isPending ? `Replaying: ${done}` : 'Replay all'}
        danger={false}
        busy={replay.isPending}
        error={replay.isError ? messageOf(replay.error) : null}
      >
        Each lead is folded again from all its events. Nothing is lost: what fails again comes back
        here, after as many tries as before.
      </ConfirmDialog>
    </>
  );
}
