import { useQuery } from '@tanstack/react-query';
import { RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';

import type { Rule, RuleUse } from '@/api/model';
import { eventTypesQuery } from '@/api/model';
import { Button } from '@/components/ui/button';
import { ConfirmDialog, Sheet } from '@/components/ui/dialog';
import { Checkbox, Field, Input, RadioGroup, Switch, Textarea } from '@/components/ui/form';
import { EmptyState } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import * as format from '@/lib/format';

import { Conditions } from './conditions';
import { same, withoutRule, withRule } from './model';
import { NumberField } from './number-field';
import type { TabProps } from './parts';
import { pointsWords, ruleName } from './words';

type Props = TabProps & {
  id: string | undefined;
  use: readonly RuleUse[] | undefined;
  onClose: () => void;
};

/** One rule, with everything that can be said of it. What is changed is part of the edit at once. */
export function RuleDrawer({ id, use, onClose, ...tab }: Props) {
  const { model, base, edit, locked } = tab;
  const index = model.rules.findIndex((rule) => rule.id === id);
  const rule = model.rules[index];
  const old = base.rules.find((one) => one.id === id);
  const gave = use?.find((one) => one.id === id);
  const [asking, setAsking] = useState(false);

  const close = () => {
    // A rule that was begun and left as it was is none.
    if (rule !== undefined && old === undefined && rule.eventType === '' && rule.name === '') {
      edit((now) => withoutRule(now, rule.id));
    }
    onClose();
  };
  const remove = (taken: Rule) => {
    setAsking(false);
    onClose();
    edit((now) => withoutRule(now, taken.id));
    toast(`${ruleName(taken)} goes with the next version`, {
      label: 'Undo',
      run: () => edit((now) => withRule(now, old ?? taken)),
    });
  };
  return (
    <Sheet
      open={id !== undefined}
      onClose={close}
      title={rule === undefined ? 'Rule' : old === undefined ? 'New rule' : ruleName(rule)}
    >
      {rule === undefined ? (
        <EmptyState title="There is no such rule">
          It may have been removed, or belong to another version.
        </EmptyState>
      ) : (
        <div className="flex min-h-full flex-col">
          <RuleForm
            rule={rule}
            at={`rules[${index}]`}
            tab={tab}
            onChange={(next) => edit((now) => withRule(now, next))}
          />
          {gave !== undefined && old !== undefined && (
            <p className="px-4 pb-4 text-xs text-muted">
              In the last 30 days: {format.count(gave.hits, 'hit')}, {format.points(gave.points)}{' '}
              points.
            </p>
          )}
          {!locked && (
            <div className="sticky bottom-0 mt-auto flex flex-wrap items-center gap-2 border-t border-line bg-surface px-4 py-3">
              <Button kind="ghost" icon={Trash2} onClick={() => setAsking(true)}>
                Remove
              </Button>
              {old !== undefined && !same(old, rule) && (
                <Button
                  kind="ghost"
                  icon={RotateCcw}
                  onClick={() => edit((now) => withRule(now, old))}
                >
                  Take back
                </Button>
              )}
              <Button kind="primary" className="ml-auto" onClick={close}>
                Done
              </Button>
            </div>
          )}
          <ConfirmDialog
            open={asking}
            onClose={() => setAsking(false)}
            onConfirm={() => remove(rule)}
            title={`Remove “${ruleName(rule)}”?`}
            action="Remove rule"
          >
            {old === undefined ? (
              'The rule was not published yet; what you typed is lost.'
            ) : (
              <>
                Once published, {rule.eventType} gives these {pointsWords(old.points)} points no
                more, and its counters of caps end.{' '}
                {gave !== undefined &&
                  gave.hits > 0 &&
                  `In the last 30 days it gave ${format.points(gave.points)} points to ${format.count(gave.hits, 'event')}; they go only if you publish for all history. `}
                To keep it for later, switch it off instead.
              </>
            )}
          </ConfirmDialog>
        </div>
      )}
    </Sheet>
  );
}

type FormProps = { rule: Rule; at: string; tab: TabProps; onChange: (rule: Rule) => void };

function RuleForm({ rule, at, tab: { problem, locked }, onChange }: FormProps) {
  const types = useQuery(eventTypesQuery);
  const set = (changes: Partial<Rule>) => onChange({ ...rule, ...changes });
  return (
    <div className="flex flex-col gap-5 p-4">
      <Field
        label="Event"
        hint="Case, spaces and hyphens make no difference: “Page View” is page_view."
        error={problem(`${at}.eventType`)}
      >
        <Input
          value={rule.eventType}
          list="scoring-event-types"
          maxLength={128}
          disabled={locked}
          autoComplete="off"
          onChange={(event) => set({ eventType: event.target.value })}
        />
      </Field>
      <datalist id="scoring-event-types">
        {types.data?.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      <div className="grid gap-5 md:grid-cols-[1fr_auto]">
        <Field label="Name" error={problem(`${at}.name`)}>
          <Input
            value={rule.name}
            placeholder={rule.eventType}
            maxLength={200}
            disabled={locked}
            onChange={(event) => set({ name: event.target.value })}
          />
        </Field>
        <NumberField
          label="Points"
          value={rule.points}
          step={0.01}
          disabled={locked}
          error={problem(`${at}.points`)}
          onChange={(points) => set({ points: points ?? Number.NaN })}
        />
      </div>
      <Field label="Description" error={problem(`${at}.description`)}>
        <Textarea
          value={rule.description}
          rows={2}
          maxLength={2000}
          disabled={locked}
          onChange={(event) => set({ description: event.target.value })}
        />
      </Field>
      <Switch
        label={rule.active ? 'The rule is on' : 'The rule is off'}
        checked={rule.active}
        disabled={locked}
        onChange={(active) => set({ active })}
      />
      <Conditions
        conditions={rule.conditions}
        at={`${at}.conditions`}
        problem={problem}
        locked={locked}
        onChange={(conditions) => set({ conditions })}
      />
      <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
        <legend className="float-left mb-1 w-full text-sm font-semibold">How often</legend>
        <div className="clear-both grid grid-cols-2 gap-4">
          <NumberField
            label="Times a day"
            optional
            step={1}
            placeholder="any"
            value={rule.maxPerDay}
            disabled={locked}
            error={problem(`${at}.maxPerDay`)}
            onChange={(maxPerDay) => set({ maxPerDay })}
          />
          <NumberField
            label="Points a day"
            optional
            placeholder="any"
            value={rule.maxPointsPerDay}
            disabled={locked}
            error={problem(`${at}.maxPointsPerDay`)}
            onChange={(maxPointsPerDay) => set({ maxPointsPerDay })}
          />
        </div>
        <p className="text-xs text-muted">
          For each lead, by UTC days. Of the points, what is over the limit is cut.
        </p>
        <Checkbox
          label="Only once per lead, ever"
          checked={rule.once}
          disabled={locked}
          onChange={(once) => set({ once })}
        />
      </fieldset>
      <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
        <legend className="float-left mb-1 w-full text-sm font-semibold">Whose events count</legend>
        <div className="clear-both">
          <RadioGroup
            label="Whose events count"
            value={rule.trust}
            onChange={(trust) => set({ trust })}
            choices={[
              { value: 'any', label: 'Anybody’s', disabled: locked },
              {
                value: 'server',
                label: 'Only those of servers',
                hint: 'Sent with a secret key, imported, or by hand. A write key can be read in any page, so its events could be made up.',
                disabled: locked,
              },
            ]}
          />
        </div>
      </fieldset>
    </div>
  );
}
