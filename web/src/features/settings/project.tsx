import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pause, Play } from 'lucide-react';
import { useMemo, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { changeProject, type Project, projectQuery } from '@/api/settings';
import { useProject, useRefusal } from '@/api/session';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Field, Input, Select } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { CopyButton, RelativeTime } from '@/components/ui/text';
import { toast } from '@/components/ui/toast';

import { DraftForm, otherThan, useDraft } from './draft';
import { DeleteCard, DeletedProjects } from './project-deletion';
import { SampleCard } from './sample-data';
import { zones } from './zones';

export function ProjectSection() {
  const { id } = useProject();
  const project = useQuery(projectQuery(id));
  if (project.data === undefined) {
    return project.isError ? (
      <ErrorState
        error={project.error}
        title="The project can’t be shown"
        onRetry={() => void project.refetch()}
      />
    ) : (
      <Loading label="The project is loading">
        <div className="flex flex-col gap-4">
          <Skeleton className="h-72" />
          <Skeleton className="h-24" />
          <Skeleton className="h-32" />
        </div>
      </Loading>
    );
  }
  return (
    <>
      <General project={project.data} />
      <Intake project={project.data} />
      <SampleCard />
      <DeleteCard project={project.data} />
      <DeletedProjects />
    </>
  );
}

/** Keeps a changed project where it is shown. */
function useProjectChange(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (changes: Parameters<typeof changeProject>[1]) => changeProject(id, changes),
    onSuccess: (project) => {
      queries.setQueryData(projectQuery(id).queryKey, project);
      void queries.invalidateQueries({ queryKey: keys.me });
      void queries.invalidateQueries({ queryKey: keys.admin.all });
    },
  });
}

function General({ project }: { project: Project }) {
  const { id, name, domain, timeZone } = project;
  const refusal = useRefusal()('project.write');
  const draft = useDraft({ name, domain: domain ?? '', timeZone });
  const change = useProjectChange(id);
  const { error } = change;
  const beside = (field: string) => (isApiError(error) ? error.field(field) : undefined);
  const listed = useMemo(() => zones(timeZone), [timeZone]);
  const { values } = draft;
  const readOnly = refusal !== null;
  return (
    <Card title="General">
      <DraftForm
        dirty={draft.dirty}
        busy={change.isPending}
        error={otherThan(error, 'name', 'domain', 'timeZone')}
        onReset={() => {
          draft.reset();
          change.reset();
        }}
        onSave={() =>
          change.mutate(
            {
              name: values.name,
              domain: values.domain.trim() === '' ? null : values.domain,
              timeZone: values.timeZone,
            },
            {
              onSuccess: () => {
                draft.reset();
                toast('Project saved');
              },
            },
          )
        }
      >
        {refusal !== null && <p className="text-sm text-muted">{refusal}</p>}
        <Field label="Name" error={beside('name')}>
          <Input
            value={values.name}
            disabled={readOnly}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => draft.set({ name: event.target.value })}
          />
        </Field>
        <Field
          label="Domain"
          hint="The website that the leads come from, such as example.com. May be empty."
          error={beside('domain')}
        >
          <Input
            value={values.domain}
            disabled={readOnly}
            inputMode="url"
            autoComplete="off"
            onChange={(event) => draft.set({ domain: event.target.value })}
          />
        </Field>
        <Field
          label="Time zone"
          hint="Says when a day begins in figures and charts. Daily caps of rules go by UTC."
          error={beside('timeZone')}
        >
          <Select
            value={values.timeZone}
            disabled={readOnly}
            onChange={(event) => draft.set({ timeZone: event.target.value })}
          >
            {listed.map((zone) => (
              <option key={zone} value={zone}>
                {zone.replaceAll('_', ' ')}
              </option>
            ))}
          </Select>
        </Field>
        <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-1 text-sm">
          <dt className="text-muted">Project id</dt>
          <dd className="flex min-w-0 items-center gap-1">
            <code className="truncate font-mono text-xs" title={id}>
              {id}
            </code>
            <CopyButton text={id} label="Copy the project id" />
          </dd>
          <dt className="text-muted">Created</dt>
          <dd>
            <RelativeTime at={project.createdAt} />
          </dd>
        </dl>
      </DraftForm>
    </Card>
  );
}

/** Pauses the intake, and lets it go on. */
function Intake({ project }: { project: Project }) {
  const refusal = useRefusal()('project.write');
  const [asking, setAsking] = useState(false);
  const change = useProjectChange(project.id);
  const { active } = project;
  const set = (next: boolean) =>
    change.mutate(
      { active: next },
      {
        onSuccess: () => {
          setAsking(false);
          toast(next ? 'The project takes events again' : 'The project is paused');
        },
      },
    );
  return (
    <Card
      title="Events"
      aside={<Badge tone={active ? 'good' : 'warn'}>{active ? 'Taking events' : 'Paused'}</Badge>}
    >
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 flex-1 basis-64 text-sm text-muted">
          {active
            ? 'While a project is paused its events are refused and not kept. Leads, scores and figures stay as they are.'
            : 'Every event is refused now. Senders that try again later lose nothing; browsers keep theirs for a while.'}
        </p>
        <Button
          icon={active ? Pause : Play}
          kind={active ? 'secondary' : 'primary'}
          disabled={refusal !== null}
          title={refusal ?? undefined}
          busy={change.isPending && !asking}
          onClick={() => {
            change.reset();
            if (active) setAsking(true);
            else set(true);
          }}
        >
          {active ? 'Pause project' : 'Resume project'}
        </Button>
      </div>
      {change.isError && !asking && (
        <p role="alert" className="mt-2 text-sm text-danger-text">
          {messageOf(change.error)}
        </p>
      )}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => set(false)}
        title="Pause this project?"
        action="Pause project"
        busy={change.isPending}
        error={change.isError ? messageOf(change.error) : null}
      >
        Every event is refused until somebody resumes the project. What senders don’t send again is
        lost. Everything that is stored stays as it is.
      </ConfirmDialog>
    </Card>
  );
}
