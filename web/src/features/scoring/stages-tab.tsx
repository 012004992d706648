import { useQuery } from '@tanstack/react-query';

import { byStageQuery } from '@/api/leads';
import { STAGE, StageBadge } from '@/components/ui/badge';
import { Card } from '@/components/ui/layout';
import { Skeleton } from '@/components/ui/states';
import * as format from '@/lib/format';

import { withBounds, withStage } from './model';
import { NumberField } from './number-field';
import type { TabProps } from './parts';
import { StageLine } from './stage-line';

/** From which score on a lead is warm, hot and qualified, and where scores end. */
export function StagesTab({ model, edit, problem, locked }: TabProps) {
  const counts = useQuery(byStageQuery);
  const all = counts.data && Object.values(counts.data).reduce((sum, one) => sum + one, 0);
  const starts = model.stages.map(({ from }) => from);
  const setStage = (index: number, from: number) => edit((now) => withStage(now, index, from));
  return (
    <div className="flex flex-col gap-4">
      <Card title="Where stages begin">
        <p className="mb-3 max-w-prose text-sm text-muted">
          A lead is in the highest stage whose beginning its score has reached. Drag the handles, or
          move them by the arrow keys.
        </p>
        <StageLine starts={starts} max={model.bounds.max} locked={locked} onChange={setStage} />
        <div className="mt-4 grid grid-cols-2 gap-4 md:grid-cols-4">
          {model.stages.map(({ name, from }, index) => (
            <div key={name} className="flex min-w-0 flex-col gap-2">
              <StageBadge stage={name} className="self-start" />
              {index === 0 ? (
                <p className="text-sm text-muted">from the lowest score, {format.points(from)}</p>
              ) : (
                <NumberField
                  label={`${STAGE[name].label} from, in points`}
                  hideLabel
                  unit="points"
                  value={from}
                  disabled={locked}
                  error={problem(`stages[${index}].from`)}
                  onChange={(next) => setStage(index, next ?? Number.NaN)}
                />
              )}
            </div>
          ))}
        </div>
      </Card>
      <Card title="Leads in each stage now">
        {counts.isError && counts.data === undefined ? (
          <p className="text-sm text-muted">How many there are can’t be told right now.</p>
        ) : (
          <dl className="grid grid-cols-2 gap-4 md:grid-cols-4">
            {model.stages.map(({ name }) => (
              <div key={name} className="flex min-w-0 flex-col gap-1">
                <dt>
                  <StageBadge stage={name} />
                </dt>
                <dd className="text-xl font-semibold tracking-tight tabular">
                  {counts.data === undefined ? (
                    <Skeleton className="h-7 w-16" />
                  ) : (
                    format.number(counts.data[name])
                  )}
                </dd>
                {counts.data !== undefined && all !== undefined && all > 0 && (
                  <dd className="text-xs text-muted tabular">
                    {format.percent(counts.data[name] / all)} of {format.count(all, 'lead')}
                  </dd>
                )}
              </div>
            ))}
          </dl>
        )}
        <p className="mt-3 text-xs text-muted">
          By the stages that are in force, not by your edit.
        </p>
      </Card>
      <Card title="Where scores end">
        <p className="mb-3 max-w-prose text-sm text-muted">
          No score falls below the lowest or rises above the highest; points beyond are lost.
        </p>
        <div className="flex flex-wrap gap-4">
          <NumberField
            label="Lowest score"
            value={model.bounds.min}
            disabled={locked}
            hint="0 or less; cold begins here"
            error={problem('bounds.min') ?? problem('stages[0].from')}
            onChange={(min) =>
              edit((now) => withBounds(now, { ...now.bounds, min: min ?? Number.NaN }))
            }
          />
          <NumberField
            label="Highest score"
            value={model.bounds.max}
            disabled={locked}
            hint="0 or more"
            error={problem('bounds.max')}
            onChange={(max) =>
              edit((now) => withBounds(now, { ...now.bounds, max: max ?? Number.NaN }))
            }
          />
        </div>
      </Card>
    </div>
  );
}
