import { useQuery } from '@tanstack/react-query';
import { CalendarRange, SlidersHorizontal, UserRound } from 'lucide-react';
import { useEffect, useState } from 'react';

import { leadNameQuery } from '@/api/events';
import { EventTypeInput } from '@/components/event-type-input';
import { LeadPicker } from '@/components/lead-picker';
import { Button } from '@/components/ui/button';
import { Field, Input } from '@/components/ui/form';
import { FilterBar, FilterChip } from '@/components/ui/layout';
import { Popover } from '@/components/ui/menu';
import { exactTime } from '@/lib/format';
import { displayName } from '@/lib/people';

import { type EventsView, fromLocal, NO_FILTERS, toLocal } from './view';

type Props = {
  view: EventsView;
  onChange: (changes: Partial<EventsView>, typed?: boolean) => void;
};

const HOUR = 3_600_000;
const PERIODS: [string, number][] = [
  ['Last hour', HOUR],
  ['Last 24 hours', 24 * HOUR],
  ['Last 7 days', 7 * 24 * HOUR],
];

/** By type, lead, session and time. */
export function Filters({ view, onChange }: Props) {
  const { type, lead, session, from, to } = view;
  const any = [type, lead, session, from, to].some((value) => value !== undefined);
  return (
    <FilterBar>
      <TypeFilter value={type ?? ''} onChange={(value) => onChange({ type: value }, true)} />
      {lead === undefined ? (
        <LeadFilter onPick={(id) => onChange({ lead: id })} />
      ) : (
        <FilterChip
          label="Lead"
          value={<LeadName id={lead} />}
          onClear={() => onChange({ lead: undefined })}
        />
      )}
      {session === undefined ? (
        <SessionFilter onPick={(id) => onChange({ session: id })} />
      ) : (
        <FilterChip
          label="Session"
          value={session}
          onClear={() => onChange({ session: undefined })}
        />
      )}
      {from === undefined && to === undefined ? (
        <TimeFilter view={view} onChange={onChange} />
      ) : (
        <FilterChip
          label="Time"
          value={period(from, to)}
          onClear={() => onChange({ from: undefined, to: undefined })}
        />
      )}
      {any && (
        <Button kind="ghost" onClick={() => onChange(NO_FILTERS)}>
          Clear
        </Button>
      )}
    </FilterBar>
  );
}

function period(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return `until ${to === undefined ? '' : exactTime(to)}`;
  return to === undefined ? `since ${exactTime(from)}` : `${exactTime(from)} – ${exactTime(to)}`;
}

function TypeFilter({ value, onChange }: { value: string; onChange: (value?: string) => void }) {
  const [draft, setDraft] = useState(value);
  const [shown, setShown] = useState(value);
  // Back and forward change the address under what was typed.
  if (shown !== value) {
    setShown(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft.trim() === value) return;
    const timer = setTimeout(() => onChange(draft.trim() || undefined), 300);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  return (
    <span className="w-52 max-md:w-full">
      <EventTypeInput
        type="search"
        aria-label="Type of event"
        placeholder="Any type of event"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
    </span>
  );
}

function LeadFilter({ onPick }: { onPick: (id: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label="Only events of one lead"
      trigger={<Button icon={UserRound}>Lead</Button>}
    >
      <LeadPicker
        onPick={({ id }) => {
          setOpen(false);
          onPick(id);
        }}
      />
    </Popover>
  );
}

function LeadName({ id }: { id: string }) {
  const lead = useQuery(leadNameQuery(id));
  return <>{lead.data === undefined ? id.slice(-6) : displayName(lead.data)}</>;
}

function SessionFilter({ onPick }: { onPick: (id: string) => void }) {
  const [open, setOpen] = useState(false);
  const [id, setId] = useState('');
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label="Only events of one session"
      trigger={<Button icon={SlidersHorizontal}>Session</Button>}
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (id.trim() === '') return;
          setOpen(false);
          onPick(id.trim());
        }}
      >
        <Field label="Session" hint="Its id, as an opened event shows it.">
          <Input
            value={id}
            maxLength={255}
            autoComplete="off"
            onChange={(event) => setId(event.target.value)}
          />
        </Field>
        <Button type="submit" kind="primary">
          Show its events
        </Button>
      </form>
    </Popover>
  );
}

function TimeFilter({ view, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState(toLocal(view.from));
  const [to, setTo] = useState(toLocal(view.to));
  const choose = (changes: Partial<EventsView>) => {
    setOpen(false);
    onChange(changes);
  };
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label="When it happened"
      trigger={<Button icon={CalendarRange}>Any time</Button>}
    >
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap gap-1.5">
          {PERIODS.map(([label, length]) => (
            <Button
              key={label}
              size="sm"
              onClick={() => choose({ from: new Date(Date.now() - length).toISOString() })}
            >
              {label}
            </Button>
          ))}
        </div>
        <form
          className="flex flex-col gap-3 border-t border-line pt-3"
          onSubmit={(event) => {
            event.preventDefault();
            choose({ from: fromLocal(from), to: fromLocal(to) });
          }}
        >
          <Field label="From">
            <Input
              type="datetime-local"
              value={from}
              onChange={(event) => setFrom(event.target.value)}
            />
          </Field>
          <Field label="To">
            <Input
              type="datetime-local"
              value={to}
              onChange={(event) => setTo(event.target.value)}
            />
          </Field>
          <Button type="submit" kind="primary" disabled={from === '' && to === ''}>
            Show
          </Button>
        </form>
      </div>
    </Popover>
  );
}
