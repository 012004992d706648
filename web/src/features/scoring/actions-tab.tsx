import { ArrowDown, ArrowUp, GripVertical, ListOrdered, Plus, X } from 'lucide-react';
import { type PointerEvent, useRef, useState } from 'react';

import type { NextAction } from '@/api/model';
import { Badge, StageBadge } from '@/components/ui/badge';
import { Button, IconButton } from '@/components/ui/button';
import { Checkbox, Field, Input } from '@/components/ui/form';
import { Card } from '@/components/ui/layout';
import { EmptyState } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import { cn } from '@/lib/cn';

import { moved } from './model';
import { NumberField } from './number-field';
import type { TabProps } from './parts';
import { whenWords } from './words';

const STAGES = ['cold', 'warm', 'hot', 'qualified'] as const;
const RISKS = ['low', 'medium', 'high'] as const;
const NEW: NextAction = { action: '', text: '', stages: [], risks: [], minVelocity: null };

/** What to do with a lead: the first that fits counts. */
export function ActionsTab({ model, edit, problem, locked }: TabProps) {
  const list = useRef<HTMLOListElement>(null);
  const [open, setOpen] = useState<number | null>(null);
  const [held, setHeld] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  const actions = model.nextActions;
  const setAll = (change: (now: NextAction[]) => NextAction[]) =>
    edit((now) => ({ ...now, nextActions: change(now.nextActions) }));
  const move = (from: number, to: number) => {
    if (to < 0 || to >= actions.length || from === to) return;
    setAll((now) => moved(now, from, to));
    setOpen(null);
    setSaid(`${actions[from]?.action ?? ''} is number ${to + 1} of ${actions.length}`);
  };
  const over = (event: PointerEvent) => {
    if (held === null) return;
    const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
    const to = rows.findIndex(({ top, bottom }) => event.clientY >= top && event.clientY < bottom);
    // Only past the middle of another row, so that rows of different height don't flicker.
    const row = rows[to];
    if (row === undefined || to === held) return;
    const middle = (row.top + row.bottom) / 2;
    if (to > held ? event.clientY < middle : event.clientY > middle) return;
    move(held, to);
    setHeld(to);
  };
  return (
    <Card
      title="What to do with a lead"
      flush
      aside={
        !locked && (
          <Button
            size="sm"
            icon={Plus}
            disabled={actions.length >= 50}
            onClick={() => {
              setAll((now) => [...now, NEW]);
              setOpen(actions.length);
            }}
          >
            Add action
          </Button>
        )
      }
    >
      <p className="max-w-prose px-4 pb-3 text-sm text-muted">
        The first of these that fits a lead is its next action; a lead that none fits is told{' '}
        <code className="font-mono">monitor</code>.
      </p>
      <span role="status" className="sr-only">
        {said}
      </span>
      {actions.length === 0 && (
        <EmptyState
          icon={ListOrdered}
          title="There are no next actions"
          className="border-t border-line"
        >
          With none, people see no advice beside a lead.
        </EmptyState>
      )}
      <ol ref={list} aria-label="Next actions" className="border-t border-line">
        {actions.map((action, index) => (
          <li
            key={index}
            className={cn('border-b border-line last:border-0', held === index && 'bg-accent-soft')}
          >
            <div className="flex items-center gap-2 px-2 py-2 md:px-3">
              {!locked && (
                <button
                  type="button"
                  aria-label={`Move ${action.action || 'this action'}, number ${index + 1}`}
                  title="Drag, or use the arrow keys"
                  className="flex size-8 shrink-0 cursor-grab touch-none items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
                  onKeyDown={(event) => {
                    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                    if (step === undefined) return;
                    event.preventDefault();
                    const to = index + step;
                    move(index, to);
                    // The focus goes with what is moved.
                    requestAnimationFrame(() =>
                      list.current?.children[to]?.querySelector('button')?.focus(),
                    );
                  }}
                  onPointerDown={(event) => {
                    event.currentTarget.setPointerCapture(event.pointerId);
                    setOpen(null);
                    setHeld(index);
                  }}
                  onPointerMove={over}
                  onPointerUp={() => setHeld(null)}
                  onPointerCancel={() => setHeld(null)}
                >
                  <GripVertical aria-hidden className="size-4" />
                </button>
              )}
              <span className="w-5 shrink-0 text-right text-xs text-muted tabular">
                {index + 1}
              </span>
              <button
                type="button"
                aria-expanded={open === index}
                className="flex min-w-0 flex-1 flex-col gap-1 rounded-md px-1 py-1 text-left hover:bg-hover"
                onClick={() => setOpen(open === index ? null : index)}
              >
                <span className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
                  <span className="text-sm font-medium">{action.text || 'New action'}</span>
                  <Badge className="font-mono">{action.action || '…'}</Badge>
                </span>
                <span className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
                  {action.stages.map((stage) => (
                    <StageBadge key={stage} stage={stage} />
                  ))}
                  {whenWords({ ...action, stages: [] }) === 'any lead' && action.stages.length > 0
                    ? null
                    : whenWords({ ...action, stages: [] })}
                </span>
              </button>
              {!locked && (
                <span className="flex shrink-0 max-sm:hidden">
                  <IconButton
                    icon={ArrowUp}
                    label="Move up"
                    size="sm"
                    disabled={index === 0}
                    onClick={() => move(index, index - 1)}
                  />
                  <IconButton
                    icon={ArrowDown}
                    label="Move down"
                    size="sm"
                    disabled={index === actions.length - 1}
                    onClick={() => move(index, index + 1)}
                  />
                </span>
              )}
              {!locked && (
                <IconButton
                  icon={X}
                  label={`Remove ${action.action || 'this action'}`}
                  size="sm"
                  onClick={() => {
                    setOpen(null);
                    setAll((now) => now.filter((_, at) => at !== index));
                    toast(`${action.action || 'The action'} goes with the next version`, {
                      label: 'Undo',
                      run: () => setAll((now) => now.toSpliced(index, 0, action)),
                    });
                  }}
                />
              )}
            </div>
            {open === index && (
              <ActionForm
                action={action}
                at={`nextActions[${index}]`}
                problem={problem}
                locked={locked}
                onChange={(next) => setAll((now) => now.with(index, next))}
              />
            )}
            {open !== index && problemsOf(problem, index) && (
              <p className="px-12 pb-2 text-xs text-danger-text">Something here is wrong.</p>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}

const FIELDS = ['action', 'text', 'stages', 'risks', 'minVelocity'] as const;

function problemsOf(problem: TabProps['problem'], index: number): boolean {
  return FIELDS.some((field) => problem(`nextActions[${index}].${field}`) !== undefined);
}

type FormProps = {
  action: NextAction;
  at: string;
  problem: TabProps['problem'];
  locked: boolean;
  onChange: (action: NextAction) => void;
};

function ActionForm({ action, at, problem, locked, onChange }: FormProps) {
  const toggle = <T extends string>(all: readonly T[], now: readonly T[], one: T, on: boolean) =>
    all.filter((name) => (name === one ? on : now.includes(name)));
  return (
    <div className="grid gap-4 border-t border-line bg-subtle px-4 py-4 md:grid-cols-2 md:px-14">
      <Field label="What people read" error={problem(`${at}.text`)}>
        <Input
          value={action.text}
          maxLength={300}
          disabled={locked}
          onChange={(event) => onChange({ ...action, text: event.target.value })}
        />
      </Field>
      <Field
        label="Code"
        hint="The word by which programs know it."
        error={problem(`${at}.action`)}
      >
        <Input
          value={action.action}
          maxLength={64}
          disabled={locked}
          className="font-mono"
          onChange={(event) => onChange({ ...action, action: event.target.value })}
        />
      </Field>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">Stages; none is any</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-2">
          {STAGES.map((stage) => (
            <Checkbox
              key={stage}
              label={<StageBadge stage={stage} />}
              checked={action.stages.includes(stage)}
              disabled={locked}
              onChange={(on) =>
                onChange({ ...action, stages: toggle(STAGES, action.stages, stage, on) })
              }
            />
          ))}
        </div>
      </fieldset>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">Risks; none is any</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-2">
          {RISKS.map((risk) => (
            <Checkbox
              key={risk}
              label={`${risk.charAt(0).toUpperCase()}${risk.slice(1)} risk`}
              checked={action.risks.includes(risk)}
              disabled={locked}
              onChange={(on) =>
                onChange({ ...action, risks: toggle(RISKS, action.risks, risk, on) })
              }
            />
          ))}
        </div>
      </fieldset>
      <NumberField
        label="Velocity at least"
        optional
        placeholder="any"
        value={action.minVelocity}
        disabled={locked}
        error={problem(`${at}.minVelocity`)}
        onChange={(minVelocity) => onChange({ ...action, minVelocity })}
      />
    </div>
  );
}
