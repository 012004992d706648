import { X } from 'lucide-react';
import { useState } from 'react';

import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';

import { NumberField } from './number-field';
import type { TabProps } from './parts';
import { daysWords, figure } from './words';

/** How fast leads move, when they are at risk, and what counts as doing something. */
export function VelocityTab(props: TabProps) {
  const { model, edit, problem, locked } = props;
  const { velocity, risk } = model;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card title="Velocity">
        <p className="mb-3 text-sm text-muted">
          What a lead did in the last 24 hours, times this factor: three acts make a velocity of{' '}
          <span className="tabular">{figure(3 * velocity.factor)}</span>.
        </p>
        <NumberField
          label="Factor"
          value={velocity.factor}
          disabled={locked}
          error={problem('velocity.factor')}
          onChange={(factor) =>
            edit((now) => ({ ...now, velocity: { factor: factor ?? Number.NaN } }))
          }
        />
      </Card>
      <Card title="Risk">
        <p className="mb-3 text-sm text-muted">
          How long a lead may be silent before it is at risk of being lost: low for{' '}
          {daysWords(risk.mediumDays)}, then medium, and high after {daysWords(risk.highDays)}.
        </p>
        <div className="grid gap-4 sm:grid-cols-2">
          <NumberField
            label="Medium after"
            unit="days"
            value={risk.mediumDays}
            disabled={locked}
            error={problem('risk.mediumDays')}
            onChange={(days) =>
              edit((now) => ({ ...now, risk: { ...now.risk, mediumDays: days ?? Number.NaN } }))
            }
          />
          <NumberField
            label="High after"
            unit="days"
            value={risk.highDays}
            disabled={locked}
            error={problem('risk.highDays')}
            onChange={(days) =>
              edit((now) => ({ ...now, risk: { ...now.risk, highDays: days ?? Number.NaN } }))
            }
          />
        </div>
      </Card>
      <NotActivity {...props} />
    </div>
  );
}

/** Types of events that the person did not do. */
function NotActivity({ model, edit, problem, locked }: TabProps) {
  const [name, setName] = useState('');
  const known = model.notActivity.includes(name.trim());
  const wrong = model.notActivity
    .map((_, index) => problem(`notActivity[${index}]`))
    .find((one) => one !== undefined);
  const add = () => {
    const made = name.trim();
    if (made === '' || known) return;
    edit((now) => ({ ...now, notActivity: [...now.notActivity, made] }));
    setName('');
  };
  return (
    <Card title="What is no activity" className="lg:col-span-2">
      <p className="mb-3 max-w-prose text-sm text-muted">
        Events that the person didn’t do, such as mails that were sent. They give their points, but
        end no silence and add nothing to velocity. <code className="font-mono">*_sent</code> stands
        for every type that ends so.
      </p>
      <ul aria-label="Types that are no activity" className="flex flex-wrap gap-2">
        {model.notActivity.map((type, index) => (
          <li key={type}>
            <Badge className="h-7 gap-1 pl-2 text-sm">
              <span className="inline-flex items-center gap-1 font-mono text-xs">
                {type}
                {!locked && (
                  <button
                    type="button"
                    aria-label={`Remove ${type}`}
                    className="rounded-sm p-1 hover:text-ink"
                    onClick={() =>
                      edit((now) => ({
                        ...now,
                        notActivity: now.notActivity.filter((_, at) => at !== index),
                      }))
                    }
                  >
                    <X aria-hidden className="size-3.5" />
                  </button>
                )}
              </span>
            </Badge>
          </li>
        ))}
      </ul>
      {!locked && (
        <form
          className="mt-3 flex max-w-md items-start gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <Field
            label="Another type"
            hideLabel
            className="flex-1"
            error={wrong ?? problem('notActivity') ?? (known ? 'is there already' : undefined)}
          >
            <Input
              value={name}
              maxLength={128}
              placeholder="newsletter_sent"
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <Button type="submit" disabled={name.trim() === '' || known}>
            Add
          </Button>
        </form>
      )}
    </Card>
  );
}
