import { useMutation, useQuery } from '@tanstack/react-query';
import { Send, X } from 'lucide-react';
import { type SyntheticEvent, useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { leadNameQuery, simulate } from '@/api/events';
import { useProject, useRefusal } from '@/api/session';
import { EventTypeInput, useEventTypes } from '@/components/event-type-input';
import { LeadPicker } from '@/components/lead-picker';
import { Button, IconButton } from '@/components/ui/button';
import { Checkbox, Field, Input, Segments } from '@/components/ui/form';
import { Avatar, PersonName } from '@/components/ui/person';
import { Notice, Skeleton } from '@/components/ui/states';
import { randomId } from '@/lib/ids';

import { type Draft, eventOf, type Problems } from './draft';
import { Properties } from './properties';
import { keepSent } from './sent';
import { type simulatorView, type Whom } from './view';

type View = ReturnType<(typeof simulatorView)['read']>;
type Props = { view: View; onChange: (changes: Partial<View>) => void };

/** Any event as anybody. */
export function EventForm({ view, onChange }: Props) {
  const project = useProject();
  const refused = useRefusal()('events.send');
  const types = useEventTypes();
  const [draft, setDraft] = useState<Draft>(() => draftOf(view));
  const [problems, setProblems] = useState<Problems>({});
  const change = (changes: Partial<Draft>) => {
    setDraft((now) => ({ ...now, ...changes }));
    setProblems({});
  };
  const sending = useMutation({
    mutationFn: simulate,
    onSuccess: ({ id }, sent) => {
      if (id === null) return;
      keepSent(project.id, {
        id,
        eventType: sent.event,
        whom: draft.whom === 'email' ? draft.email.trim() : draft.whom,
        at: Date.now(),
        test: draft.test,
      });
      const { type, whom, email, lead, test } = draft;
      onChange({ type, whom, email: email.trim(), lead, test, event: id });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const made = eventOf(draft, Date.now());
    setProblems(made.problems ?? {});
    if (made.event !== null) sending.mutate(made.event);
  };
  const error = (name: string) =>
    isApiError(sending.error) ? sending.error.field(name) : undefined;
  const general =
    sending.isError && !(isApiError(sending.error) && sending.error.errors.length > 0);

  return (
    <form noValidate className="flex flex-col gap-5" onSubmit={submit}>
      <Field
        label="Event"
        error={problems.type ?? error('event')}
        hint={
          types.length === 0
            ? 'Any name, such as page_view.'
            : 'One that you know, or any other name.'
        }
      >
        <EventTypeInput
          value={draft.type}
          placeholder="demo_request"
          onChange={(event) => change({ type: event.target.value })}
        />
      </Field>
      <WhomFields draft={draft} problems={problems} onChange={change} />
      <Properties
        draft={draft}
        error={problems.properties ?? error('properties')}
        onChange={change}
      />
      <Field
        label="Happened at"
        error={problems.at ?? error('timestamp')}
        hint="Left empty it happens now."
      >
        <Input
          type="datetime-local"
          value={draft.at}
          onChange={(event) => change({ at: event.target.value })}
        />
      </Field>
      <Checkbox
        checked={draft.test}
        label="Mark as a test"
        hint="A lead with nothing but test events stands in no list and no figure."
        onChange={(test) => change({ test })}
      />
      {general && <Notice tone="danger">{messageOf(sending.error)}</Notice>}
      {sending.isError &&
        isApiError(sending.error) &&
        sending.error.errors.map(({ field, message }) => (
          <Notice key={field} tone="danger">
            {field}: {message}
          </Notice>
        ))}
      <div className="flex flex-wrap items-center gap-3">
        <Button
          type="submit"
          kind="primary"
          icon={Send}
          busy={sending.isPending}
          disabled={refused !== null}
          title={refused ?? undefined}
        >
          Send the event
        </Button>
        {refused !== null && <span className="text-xs text-muted">{refused}</span>}
      </div>
    </form>
  );
}

function draftOf(view: View): Draft {
  return {
    type: view.type,
    whom: view.lead === undefined ? view.whom : 'lead',
    email: view.email,
    lead: view.lead,
    anonymousId: `simulated-${randomId().slice(0, 12)}`,
    rows: [],
    json: false,
    text: '',
    at: '',
    test: view.test,
  };
}

const WHOM: { value: Whom; label: string }[] = [
  { value: 'email', label: 'By email' },
  { value: 'lead', label: 'A lead' },
  { value: 'anonymous', label: 'Anonymous' },
];

function WhomFields({
  draft,
  problems,
  onChange,
}: {
  draft: Draft;
  problems: Problems;
  onChange: (changes: Partial<Draft>) => void;
}) {
  return (
    <div role="group" aria-labelledby="whom" className="flex flex-col gap-2">
      <span id="whom" className="text-sm font-medium">
        Who does it
      </span>
      <Segments
        label="Who does it"
        className="self-start"
        value={draft.whom}
        choices={WHOM}
        onChange={(whom) => onChange({ whom })}
      />
      {draft.whom === 'email' && (
        <Field label="Email" hideLabel error={problems.email}>
          <Input
            type="email"
            autoComplete="off"
            placeholder="ann@example.com"
            value={draft.email}
            onChange={(event) => onChange({ email: event.target.value })}
          />
        </Field>
      )}
      {draft.whom === 'lead' &&
        (draft.lead === undefined ? (
          <>
            <LeadPicker onPick={({ id }) => onChange({ lead: id })} />
            {problems.lead !== undefined && (
              <p role="alert" className="text-xs text-danger-text">
                {problems.lead}
              </p>
            )}
          </>
        ) : (
          <Chosen id={draft.lead} onClear={() => onChange({ lead: undefined })} />
        ))}
      {draft.whom === 'anonymous' && (
        <p className="text-xs text-muted">
          A new visitor, <span className="font-mono">{draft.anonymousId}</span>. Send more in a row,
          and it is the same one.
        </p>
      )}
    </div>
  );
}

function Chosen({ id, onClear }: { id: string; onClear: () => void }) {
  const { data, isError } = useQuery(leadNameQuery(id));
  return (
    <div className="flex min-h-12 items-center gap-2.5 rounded-md border border-line px-2.5 py-1.5 text-sm">
      {data !== undefined ? (
        <>
          <Avatar person={data} />
          <PersonName person={data} className="flex-1 leading-4" />
        </>
      ) : isError ? (
        <span className="flex-1 text-muted">This lead can’t be found.</span>
      ) : (
        <Skeleton className="h-6 flex-1" />
      )}
      <IconButton icon={X} label="Choose another lead" onClick={onClear} />
    </div>
  );
}
