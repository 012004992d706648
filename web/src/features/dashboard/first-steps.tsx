import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Circle, CircleCheck, Sparkles } from 'lucide-react';

import { dismissFirstSteps, firstStepsQuery } from '@/api/first-steps';
import { useMay, useProject } from '@/api/session';
import { addSampleData, sampleDataQuery } from '@/api/settings';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/layout';
import { RelativeTime } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';
import { cn } from '@/lib/cn';

import { steps } from './steps';

/** What a new project does first; gone when all of it is done, or when one has seen enough. */
export function FirstSteps() {
  const { id } = useProject();
  const may = useMay();
  const queries = useQueryClient();
  const { data: facts } = useQuery(firstStepsQuery(id));
  const { data: sample } = useQuery(sampleDataQuery(id));
  const dismiss = useMutation({
    mutationFn: (dismissed: boolean) => dismissFirstSteps(queries, id, dismissed),
    onError: toastError,
  });
  const fill = useMutation({
    mutationFn: () => addSampleData(id),
    onSuccess: ({ leads }) => {
      toast(`${leads} made-up leads are on their way`);
      return queries.invalidateQueries();
    },
    onError: toastError,
  });
  if (facts === undefined || facts.dismissed) return null;
  const all = steps(facts);
  const next = all.find(({ at }) => at === null);
  if (next === undefined) return null;
  const done = all.filter(({ at }) => at !== null).length;
  return (
    <Card
      title="First steps"
      aside={
        <span className="flex items-center gap-3">
          <span className="text-xs text-muted tabular">
            {done} of {all.length} done
          </span>
          <Button
            size="sm"
            kind="ghost"
            onClick={() =>
              dismiss.mutate(true, {
                onSuccess: () =>
                  toast('The first steps are hidden', {
                    label: 'Undo',
                    run: () => dismiss.mutate(false),
                  }),
              })
            }
          >
            Hide
          </Button>
        </span>
      }
    >
      <ol className="flex flex-col gap-1">
        {all.map((step) => (
          <li
            key={step.id}
            className={cn(
              'flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md px-2 py-2',
              step === next && 'bg-subtle',
            )}
          >
            {step.at === null ? (
              <Circle aria-hidden className="size-5 shrink-0 text-faint" />
            ) : (
              <CircleCheck aria-hidden className="size-5 shrink-0 text-good-text" />
            )}
            <span className="min-w-0 flex-1 basis-56">
              <span className="block text-sm font-medium">{step.title}</span>
              <span className="block text-xs text-muted">
                {step.at === null ? (
                  step.text
                ) : (
                  <>
                    Done <RelativeTime at={step.at} />
                  </>
                )}
              </span>
            </span>
            {step === next && (
              <Button asChild kind="primary" size="sm">
                <Link to={step.action.to}>{step.action.label}</Link>
              </Button>
            )}
          </li>
        ))}
      </ol>
      {sample?.present === false && facts.firstEventAt === null && may('project.write') && (
        <p className="mt-3 flex flex-wrap items-center gap-3 border-t border-line pt-3 text-sm text-muted">
          <span className="min-w-0 flex-1 basis-64">
            Only want to look around? Fill the project with made-up leads; one click removes them
            again.
          </span>
          <Button size="sm" icon={Sparkles} busy={fill.isPending} onClick={() => fill.mutate()}>
            Fill with sample data
          </Button>
        </p>
      )}
    </Card>
  );
}
