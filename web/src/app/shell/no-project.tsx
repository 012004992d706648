import { useMutation } from '@tanstack/react-query';
import { FolderPlus } from 'lucide-react';
import { useState } from 'react';

import { answer, client } from '@/api/client';
import { isApiError, messageOf } from '@/api/errors';
import { isOpen, useMe } from '@/api/session';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { EmptyState } from '@/components/ui/states';

import { DeletedProjects } from '@/features/settings/project-deletion';

import { openProject } from './account';

/** For somebody who was removed from his last project, or has deleted it. */
export function NoProject() {
  const { projects } = useMe();
  const [name, setName] = useState('');
  const create = useMutation({
    mutationFn: async () => {
      const made = await answer(client.POST('/api/projects', { body: { name } }));
      await openProject(made.id, made.name);
    },
  });
  const { error } = create;
  const beside = isApiError(error) ? error.field('name') : undefined;
  return (
    <div className="flex min-h-[80dvh] flex-col items-center justify-center px-4 pb-8">
      <EmptyState
        icon={FolderPlus}
        titleAs="h1"
        title="You work in no project"
        action={
          <form
            className="flex w-72 flex-col gap-3 text-left"
            onSubmit={(event) => {
              event.preventDefault();
              create.mutate();
            }}
          >
            <Field
              label="Name of a new project"
              error={beside ?? (error ? messageOf(error) : null)}
            >
              <Input value={name} required onChange={(event) => setName(event.target.value)} />
            </Field>
            <Button kind="primary" type="submit" busy={create.isPending}>
              Create project
            </Button>
          </form>
        }
      >
        {projects.some(isOpen)
          ? 'Choose one of your projects at the top, or create a new one.'
          : 'Ask somebody to invite you to theirs, or create one of your own.'}
      </EmptyState>
      <div className="w-full max-w-md">
        <DeletedProjects />
      </div>
    </div>
  );
}
