import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import {
  addSampleData,
  removeSampleData,
  removeTestLeads,
  sampleDataQuery,
  testLeadsQuery,
} from '@/api/settings';
import { useProject, useRefusal } from '@/api/session';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { Skeleton } from '@/components/ui/states';
import { toast, toastError } from '@/components/ui/toast';
import { count } from '@/lib/format';

/** Leads that are no real ones: the samples, and those of test events. */
export function SampleCard() {
  const { id } = useProject();
  const refusal = useRefusal();
  const sample = useQuery(sampleDataQuery(id));
  const test = useQuery(testLeadsQuery(id));
  const queries = useQueryClient();
  // Leads stand on nearly every page.
  const changed = () => queries.invalidateQueries();
  const add = useMutation({
    mutationFn: () => addSampleData(id),
    onSuccess: ({ leads, events }) => {
      toast(`${count(leads, 'sample lead')} with ${count(events, 'event')} added`);
      return changed();
    },
    onError: toastError,
  });
  return (
    <Card title="Sample and test leads">
      <div className="flex flex-col gap-4 text-sm">
        <Row
          title="Sample data"
          said={
            sample.data === undefined
              ? null
              : sample.data.present
                ? `${count(sample.data.leads, 'sample lead')} in the project. They count in figures until they are removed.`
                : 'Believable people with a history, to look around with. They can be removed again as a whole.'
          }
          failed={sample.isError}
        >
          {sample.data?.present === true ? (
            <Remove
              title="Remove the sample data?"
              action="Remove sample data"
              refusal={refusal('project.write')}
              remove={() => removeSampleData(id)}
              removed={(gone) => {
                toast(`${count(gone, 'sample lead')} removed`);
                return changed();
              }}
            >
              All sample leads go, with their events and scores. Your own leads stay as they are.
              Sample data can be added again at any time.
            </Remove>
          ) : (
            <Button
              disabled={refusal('project.write') !== null || sample.data === undefined}
              title={refusal('project.write') ?? undefined}
              busy={add.isPending}
              onClick={() => add.mutate()}
            >
              Add sample data
            </Button>
          )}
        </Row>
        <Row
          title="Test leads"
          said={
            test.data === undefined
              ? null
              : test.data.leads === 0
                ? 'None. Leads that consist of events sent as test stand in no list and no figure.'
                : `${count(test.data.leads, 'lead')} made of test events. They stand in no list and no figure.`
          }
          failed={test.isError}
        >
          <Remove
            title="Remove the test leads?"
            action="Remove test leads"
            disabled={(test.data?.leads ?? 0) === 0}
            refusal={refusal('leads.remove')}
            remove={() => removeTestLeads(id)}
            removed={(gone) => {
              toast(`${count(gone, 'test lead')} removed`);
              return changed();
            }}
          >
            All leads made only of test events go, with these events. That can’t be undone; other
            leads stay as they are.
          </Remove>
        </Row>
      </div>
    </Card>
  );
}

function Row({
  title,
  said,
  failed,
  children,
}: {
  title: string;
  said: string | null;
  failed: boolean;
  children: React.ReactNode;
}) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-medium">{title}</p>
        {said === null ? (
          failed ? (
            <p className="text-muted">How many there are can’t be told right now.</p>
          ) : (
            <Skeleton className="mt-1 h-4 w-64 max-w-full" />
          )
        ) : (
          <p className="text-muted">{said}</p>
        )}
      </div>
      {children}
    </div>
  );
}

type RemoveProps = {
  title: string;
  action: string;
  disabled?: boolean;
  refusal: string | null;
  remove: () => Promise<number>;
  removed: (gone: number) => unknown;
  children: React.ReactNode;
};

function Remove({ title, action, disabled, refusal, remove, removed, children }: RemoveProps) {
  const [asking, setAsking] = useState(false);
  const run = useMutation({
    mutationFn: remove,
    onSuccess: (gone) => {
      setAsking(false);
      void removed(gone);
    },
  });
  return (
    <>
      <Button
        disabled={refusal !== null || disabled}
        title={refusal ?? undefined}
        onClick={() => {
          run.reset();
          setAsking(true);
        }}
      >
        {action}
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => run.mutate()}
        title={title}
        action={action}
        busy={run.isPending}
        error={run.isError ? messageOf(run.error) : null}
      >
        {children}
      </ConfirmDialog>
    </>
  );
}
