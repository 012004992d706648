import { ChevronDown, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import type { Member } from '@/api/lead';
import { STAGES } from '@/api/leads';
import { useMe } from '@/api/session';
import { STAGE, STATUS } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { FilterBar, SearchInput } from '@/components/ui/layout';
import { DropdownMenu, MenuRadio, Popover } from '@/components/ui/menu';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

import { ownerName } from './controls';
import { CLEARED, filtersIn, type LeadsView, RISKS, SEEN, STATUSES } from './view';

type Change = (changes: Partial<LeadsView>) => void;
type Props = {
  view: LeadsView;
  members: readonly Member[];
  onChange: Change;
  /** At the right end. */
  children?: ReactNode;
};

const SEEN_WORDS: Record<(typeof SEEN)[number], string> = {
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  '90d': 'Last 90 days',
};

/** Everything by which leads are found. */
export function LeadFilters({ view, members, onChange, children }: Props) {
  const me = useMe().user;
  const stages = STAGES.map((value) => ({ value, label: STAGE[value].label }));
  const statuses = STATUSES.map((value) => ({ value, label: STATUS[value].label }));
  const risks = RISKS.map((value) => ({ value, label: format.words(value) }));
  const seen = SEEN.map((value) => ({ value, label: SEEN_WORDS[value] }));
  const owners = [
    { value: 'me', label: 'Me' },
    ...members
      .filter(({ id }) => id !== me.id)
      .map((member) => ({ value: member.id, label: ownerName(member.id, members) })),
  ];
  return (
    <FilterBar>
      <SearchInput
        label="Search leads"
        placeholder="Name, email, company, id"
        value={view.q}
        onChange={(q) => onChange({ q })}
        className="md:w-72"
      />
      <Choice
        label="Stage"
        value={view.stage}
        choices={stages}
        onChange={(stage) => onChange({ stage })}
      />
      <Choice
        label="Status"
        value={view.status}
        choices={statuses}
        onChange={(status) => onChange({ status })}
      />
      <Choice
        label="Owner"
        value={view.owner}
        choices={owners}
        onChange={(owner) => onChange({ owner })}
      />
      <Choice
        label="Risk"
        value={view.risk}
        choices={risks}
        onChange={(risk) => onChange({ risk })}
      />
      <Choice
        label="Last seen"
        value={view.seen}
        choices={seen}
        onChange={(value) => onChange({ seen: value })}
      />
      <ScoreRange key={`${view.min} ${view.max}`} view={view} onChange={onChange} />
      <button
        type="button"
        aria-pressed={view.test}
        onClick={() => onChange({ test: !view.test })}
        className={cn(CHIP, view.test ? SET : UNSET, 'px-2.5')}
      >
        Test leads
      </button>
      {filtersIn(view) > 0 && (
        <Button kind="ghost" icon={X} onClick={() => onChange(CLEARED)}>
          Clear
        </Button>
      )}
      {children != null && <div className="ml-auto flex items-center gap-2">{children}</div>}
    </FilterBar>
  );
}

const CHIP =
  'inline-flex h-8 max-w-56 min-w-0 items-center gap-1.5 rounded-md border text-sm whitespace-nowrap transition-colors';
const UNSET = 'border-line-strong text-muted hover:text-ink hover:bg-hover border-dashed';
const SET = 'border-accent/40 bg-accent-soft text-accent-text font-medium';

type ChoiceProps<T extends string> = {
  label: string;
  value: T | undefined;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T | undefined) => void;
};

/** One of a few, or any. */
function Choice<T extends string>({ label, value, choices, onChange }: ChoiceProps<T>) {
  const chosen = choices.find((choice) => choice.value === value);
  const shown = value === undefined ? null : (chosen?.label ?? value);
  return (
    <DropdownMenu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={shown === null ? `${label}: any` : `${label}: ${shown}`}
          className={cn(CHIP, shown === null ? UNSET : SET, 'pr-1.5 pl-2.5')}
        >
          <span className="truncate">{shown === null ? label : `${label}: ${shown}`}</span>
          <ChevronDown aria-hidden className="size-3.5 shrink-0" />
        </button>
      }
    >
      <MenuRadio
        value={value ?? ''}
        onChange={(next) => onChange(choices.find((choice) => choice.value === next)?.value)}
        choices={[{ value: '', label: 'Any' }, ...choices]}
      />
    </DropdownMenu>
  );
}

function rangeWords(min: number | undefined, max: number | undefined): string | null {
  if (min !== undefined && max !== undefined) {
    return `${format.points(min)} to ${format.points(max)}`;
  }
  if (min !== undefined) return `from ${format.points(min)}`;
  return max === undefined ? null : `up to ${format.points(max)}`;
}

/** From one score to another, both optional. */
function ScoreRange({ view, onChange }: { view: LeadsView; onChange: Change }) {
  const [open, setOpen] = useState(false);
  const [min, setMin] = useState(view.min?.toString() ?? '');
  const [max, setMax] = useState(view.max?.toString() ?? '');
  const [wrong, setWrong] = useState<string | null>(null);
  const words = rangeWords(view.min, view.max);
  const read = (typed: string) => (typed.trim() === '' ? undefined : Number(typed));
  const apply = () => {
    const [from, to] = [read(min), read(max)];
    if ([from, to].some((value) => value !== undefined && !Number.isFinite(value))) {
      setWrong('Numbers, please.');
    } else if (from !== undefined && to !== undefined && from > to) {
      setWrong('The first can’t be above the second.');
    } else {
      setOpen(false);
      onChange({ min: from, max: to });
    }
  };
  return (
    <Popover
      label="Score"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <button
          type="button"
          aria-label={words === null ? 'Score: any' : `Score: ${words}`}
          className={cn(CHIP, words === null ? UNSET : SET, 'pr-1.5 pl-2.5')}
        >
          {words === null ? 'Score' : `Score: ${words}`}
          <ChevronDown aria-hidden className="size-3.5" />
        </button>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <div className="grid grid-cols-2 gap-3">
          <Field label="From">
            <Input
              inputMode="decimal"
              value={min}
              onChange={(event) => setMin(event.target.value)}
            />
          </Field>
          <Field label="To">
            <Input
              inputMode="decimal"
              value={max}
              onChange={(event) => setMax(event.target.value)}
            />
          </Field>
        </div>
        {wrong !== null && (
          <p role="alert" className="text-xs text-danger-text">
            {wrong}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button
            size="sm"
            kind="ghost"
            onClick={() => {
              setOpen(false);
              onChange({ min: undefined, max: undefined });
            }}
          >
            Any score
          </Button>
          <Button size="sm" kind="primary" type="submit">
            Apply
          </Button>
        </div>
      </form>
    </Popover>
  );
}
