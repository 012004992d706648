import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { switchProject, useMe, useRefusal } from '@/api/session';
import { deleteProject, type Project, restoreProject } from '@/api/settings';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Card } from '@/components/ui/layout';
import { RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';

export function DeleteCard({ project }: { project: Project }) {
  const refusal = useRefusal()('project.delete');
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteProject(project.id),
    onSuccess: async () => {
      setAsking(false);
      // The shell shows then what is left to work in, and what can be restored.
      await queries.invalidateQueries({ queryKey: keys.me });
      toast(`${project.name} is deleted`);
    },
  });
  return (
    <Card title="Delete project">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 flex-1 basis-64 text-sm text-muted">
          Shuts the project for everybody at once: no key and no session opens it. An owner can
          restore it within 7 days; then all of it is removed for good.
        </p>
        <Button
          kind={refusal === null ? 'danger' : 'secondary'}
          disabled={refusal !== null}
          title={refusal ?? undefined}
          onClick={() => {
            remove.reset();
            setAsking(true);
          }}
        >
          Delete project
        </Button>
      </div>
      {refusal !== null && <p className="mt-2 text-xs text-muted">{refusal}</p>}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete ${project.name}?`}
        action="Delete project"
        typed={project.name}
        busy={remove.isPending}
        error={remove.isError ? messageOf(remove.error) : null}
      >
        <p>
          Events are refused from this moment, and what senders don’t keep is lost. All members are
          shut out. After 7 days these are removed for good:
        </p>
        <ul className="mt-2 list-disc pl-5">
          <li>all leads, events, scores and their history</li>
          <li>rules and all versions of the model</li>
          <li>keys, members, invitations and the audit log</li>
        </ul>
      </ConfirmDialog>
    </Card>
  );
}

/** Projects of which one is an owner, and that can still come back. */
export function DeletedProjects() {
  const { project, projects } = useMe();
  const queries = useQueryClient();
  const restore = useMutation({
    mutationFn: (id: string) => restoreProject(id),
    onSuccess: async (_, id) => {
      if (project === null) {
        await switchProject(id);
        location.assign('/dashboard');
        return;
      }
      await queries.invalidateQueries({ queryKey: keys.me });
      toast('The project is as it was; switch to it at the top');
    },
    onError: toastError,
  });
  const deleted = projects.filter(({ deletedAt, role }) => deletedAt !== null && role === 'owner');
  if (deleted.length === 0) return null;
  return (
    <Card title="Deleted projects" flush>
      <ul className="divide-y divide-line border-t border-line">
        {deleted.map(({ id, name, deletedAt }) => (
          <li key={id} className="flex items-center gap-3 px-4 py-2 text-sm">
            <span className="min-w-0 flex-1 truncate font-medium" title={name}>
              {name}
            </span>
            <span className="text-xs text-muted">
              deleted <RelativeTime at={deletedAt} />
            </span>
            <Button
              size="sm"
              icon={Undo2}
              busy={restore.isPending && restore.variables === id}
              aria-label={`Restore ${name}`}
              onClick={() => restore.mutate(id)}
            >
              Restore
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
