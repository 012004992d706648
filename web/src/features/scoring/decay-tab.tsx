import type { Decay } from '@/api/model';
import { Switch } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';

import { daysUntil, isWhole } from './decay';
import { DecayChart } from './decay-chart';
import { same } from './model';
import { NumberField } from './number-field';
import type { TabProps } from './parts';
import { daysWords, decayWords } from './words';

const USUAL: Decay = { factor: 0.95, afterDays: 7, everyDays: 1 };

/** How the score of a lead that does nothing falls. */
export function DecayTab({ model, base, edit, problem, locked }: TabProps) {
  const { decay } = model;
  const set = (changes: Partial<Decay>) =>
    edit((now) => ({ ...now, decay: { ...(now.decay ?? USUAL), ...changes } }));
  return (
    <div className="grid gap-4 lg:grid-cols-[320px_minmax(0,1fr)]">
      <Card title="Decay">
        <Switch
          label={decay === null ? 'Scores don’t fall by themselves' : 'Scores fall in silence'}
          checked={decay !== null}
          disabled={locked}
          onChange={(on) => edit((now) => ({ ...now, decay: on ? (base.decay ?? USUAL) : null }))}
        />
        {decay === null ? (
          <p className="mt-3 text-sm text-muted">
            Points stay for ever. A lead that showed interest a year ago stands beside one of today.
          </p>
        ) : (
          <div className="mt-4 flex flex-col gap-4">
            <NumberField
              label="Multiply the score with"
              hint="Above 0 and below 1. 0.95 takes 5% each time."
              value={decay.factor}
              disabled={locked}
              error={problem('decay.factor')}
              onChange={(factor) => set({ factor: factor ?? Number.NaN })}
            />
            <NumberField
              label="For the first time after"
              unit="days of silence"
              value={decay.afterDays}
              disabled={locked}
              error={problem('decay.afterDays')}
              onChange={(afterDays) => set({ afterDays: afterDays ?? Number.NaN })}
            />
            <NumberField
              label="And again every"
              unit="days"
              value={decay.everyDays}
              disabled={locked}
              error={problem('decay.everyDays')}
              onChange={(everyDays) => set({ everyDays: everyDays ?? Number.NaN })}
            />
          </div>
        )}
      </Card>
      <Card title="What is left of 100 points">
        <p className="mb-3 text-sm text-muted">
          <HalfLife decay={decay} />
        </p>
        <DecayChart before={base.decay} after={decay} changed={!same(base.decay, decay)} />
      </Card>
    </div>
  );
}

function HalfLife({ decay }: { decay: Decay | null }) {
  if (decay === null) return 'All of it, for as long as it takes.';
  const [half, tenth] = [daysUntil(decay, 0.5), daysUntil(decay, 0.1)];
  if (!isWhole(decay) || half === null || tenth === null) {
    return 'The curve shows as soon as all three numbers are there.';
  }
  return `Score ${decayWords(decay)}: half is gone after ${daysWords(half)}, nine tenths after ${daysWords(tenth)}.`;
}
