import { Plus, X } from 'lucide-react';
import { useId, useState } from 'react';

import type { Condition } from '@/api/model';
import { Button, IconButton } from '@/components/ui/button';
import { Field, Input, Select } from '@/components/ui/form';

import type { Check } from './check';
import {
  type Kind,
  KINDS,
  kindOf,
  kindsFor,
  kindValue,
  listOf,
  listText,
} from './condition-values';
import { OPERATORS } from './words';

type Props = {
  conditions: readonly Condition[];
  at: string;
  problem: Check['problem'];
  locked: boolean;
  onChange: (conditions: Condition[]) => void;
};

const SUGGESTIONS = ['$path', 'url', 'path', 'title', 'referrer', 'plan', 'amount', 'utm.source'];

/** Tests on the properties of an event; all of them must hold. */
export function Conditions({ conditions, at, problem, locked, onChange }: Props) {
  const list = useId();
  return (
    <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
      <legend className="float-left w-full text-sm font-semibold">Conditions</legend>
      <p className="clear-both -mt-2 text-xs text-muted">
        {conditions.length === 0
          ? 'None: every event of this type gives the points.'
          : 'All must hold. Kinds of values are never mixed: the text “5” is not the number 5, and 1 is not yes.'}
      </p>
      <datalist id={list}>
        {SUGGESTIONS.map((name) => (
          <option key={name} value={name}>
            {name === '$path' ? 'the path of the page, without case' : undefined}
          </option>
        ))}
      </datalist>
      {conditions.map((condition, index) => (
        <ConditionRow
          key={index}
          number={index + 1}
          condition={condition}
          list={list}
          at={`${at}[${index}]`}
          problem={problem}
          locked={locked}
          onChange={(next) =>
            onChange(conditions.map((one, place) => (place === index ? next : one)))
          }
          onRemove={() => onChange(conditions.filter((_, place) => place !== index))}
        />
      ))}
      {problem(at) !== undefined && (
        <p role="alert" className="text-xs text-danger-text">
          {problem(at)}
        </p>
      )}
      {!locked && conditions.length < 20 && (
        <Button
          size="sm"
          icon={Plus}
          className="self-start"
          onClick={() => onChange([...conditions, { field: '$path', op: 'contains', value: '' }])}
        >
          Add condition
        </Button>
      )}
    </fieldset>
  );
}

type RowProps = {
  number: number;
  condition: Condition;
  list: string;
  at: string;
  problem: Check['problem'];
  locked: boolean;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
};

function ConditionRow(props: RowProps) {
  const { number, condition, list, at, problem, locked, onChange, onRemove } = props;
  const kinds = kindsFor(condition.op);
  const kind = kindOf(condition.value);
  return (
    <div
      role="group"
      aria-label={`Condition ${number}`}
      className="flex flex-col gap-2 rounded-lg border border-line bg-subtle p-3"
    >
      <div className="flex items-start gap-2">
        <Field label="Field" hideLabel className="flex-1" error={problem(`${at}.field`)}>
          <Input
            value={condition.field}
            list={list}
            placeholder="property, such as plan.name"
            maxLength={255}
            disabled={locked}
            autoComplete="off"
            onChange={(event) => onChange({ ...condition, field: event.target.value })}
          />
        </Field>
        <Field label="Comparison" hideLabel className="w-36 shrink-0" error={problem(`${at}.op`)}>
          <Select
            value={condition.op}
            disabled={locked}
            onChange={({ target: { value: op } }) => {
              const fitting = kindsFor(op);
              const value = fitting.includes(kind)
                ? condition.value
                : kindValue(fitting[0] ?? 'text', condition.value);
              onChange({ ...condition, op, value });
            }}
          >
            {OPERATORS.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
        {!locked && <IconButton icon={X} label={`Remove condition ${number}`} onClick={onRemove} />}
      </div>
      <div className="flex items-start gap-2">
        <Field label="Kind of value" hideLabel className="w-28 shrink-0">
          <Select
            value={kind}
            disabled={locked || kinds.length === 1}
            onChange={(event) =>
              onChange({
                ...condition,
                value: kindValue(event.target.value as Kind, condition.value),
              })
            }
          >
            {kinds.map((one) => (
              <option key={one} value={one}>
                {KINDS[one]}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Value" hideLabel className="flex-1" error={problem(`${at}.value`)}>
          <ValueInput
            kind={kind}
            value={condition.value}
            op={condition.op}
            locked={locked}
            onChange={(value) => onChange({ ...condition, value })}
          />
        </Field>
      </div>
    </div>
  );
}

type ValueProps = {
  kind: Kind;
  value: unknown;
  op: string;
  locked: boolean;
  onChange: (value: unknown) => void;
};

function ValueInput({ kind, value, op, locked, onChange }: ValueProps) {
  switch (kind) {
    case 'text':
      return (
        <Input
          value={typeof value === 'string' ? value : ''}
          maxLength={1000}
          disabled={locked}
          placeholder="text"
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case 'number':
      return (
        <Input
          type="number"
          step="any"
          defaultValue={typeof value === 'number' && !Number.isNaN(value) ? value : ''}
          disabled={locked}
          placeholder="number"
          onChange={(event) => onChange(event.target.valueAsNumber)}
        />
      );
    case 'yes-no': {
      const [yes, no] = op === 'exists' ? ['is there', 'is missing'] : ['yes', 'no'];
      return (
        <Select
          value={value === false ? 'no' : 'yes'}
          disabled={locked}
          onChange={(event) => onChange(event.target.value === 'yes')}
        >
          <option value="yes">{yes}</option>
          <option value="no">{no}</option>
        </Select>
      );
    }
    case 'list':
      return <ListInput value={value} locked={locked} onChange={onChange} />;
    case 'empty':
      return <Input value="null" disabled readOnly />;
  }
}

/** Texts, numbers, yes and no with commas between them; what is in quotes is a text. */
function ListInput({ value, locked, onChange }: Omit<ValueProps, 'kind' | 'op'>) {
  const [draft, setDraft] = useState(listText(value));
  return (
    <>
      <Input
        value={draft}
        disabled={locked}
        placeholder="pro, team, 5"
        onChange={(event) => {
          setDraft(event.target.value);
          onChange(listOf(event.target.value));
        }}
      />
      <span className="text-2xs text-muted">
        With commas between. 5 is a number, “5” in quotes a text; true and false are yes and no.
      </span>
    </>
  );
}
