import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowRight } from 'lucide-react';
import { useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import {
  adjustLead,
  eraseLead,
  mergeLead,
  mergePreviewQuery,
  removeLead,
  undoMerge,
} from '@/api/lead';
import { type Lead, leadSearchQuery } from '@/api/leads';
import { StageBadge, StatusBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog, Dialog } from '@/components/ui/dialog';
import { Field, Input, Textarea } from '@/components/ui/form';
import { Avatar, PersonName } from '@/components/ui/person';
import { ErrorState, Notice, Skeleton } from '@/components/ui/states';
import { Points } from '@/components/ui/text';
import { toast, toastError } from '@/components/ui/toast';
import * as format from '@/lib/format';
import { useSettled } from '@/lib/hooks';
import { randomId } from '@/lib/ids';
import { displayName } from '@/lib/people';

type Props = { lead: Lead; open: boolean; onClose: () => void };

// ── Adjust ───────────────────────────────────────────────────────────────────────────

/** Points by hand, with the reason. */
export function AdjustDialog(props: Props) {
  return props.open ? <Adjust {...props} /> : null;
}

function Adjust({ lead, onClose }: Props) {
  const queries = useQueryClient();
  const [points, setPoints] = useState('');
  const [note, setNote] = useState('');
  const [missing, setMissing] = useState<{ points?: string; note?: string }>({});
  // The same deed however often it is sent.
  const [eventId] = useState(() => `by-hand-${randomId()}`);
  const adjust = useMutation({
    mutationFn: (value: number) =>
      adjustLead(lead.id, { points: value, note: note.trim(), eventId }),
    onSuccess: (_, value) => {
      toast(`${format.delta(value)} points for ${displayName(lead)}`);
      onClose();
      // The scorer counts it a moment later; the hint about that asks again, too.
      setTimeout(() => void queries.invalidateQueries({ queryKey: keys.leads.one(lead.id) }), 800);
    },
  });
  const submit = () => {
    const value = Number(points.replace('−', '-').replace(',', '.'));
    const wrong = {
      ...((points.trim() === '' || !Number.isFinite(value) || value === 0) && {
        points: 'A number that is not 0, such as 10 or -5.',
      }),
      ...(note.trim() === '' && { note: 'Say why, for who reads the history later.' }),
    };
    setMissing(wrong);
    if (Object.keys(wrong).length === 0) adjust.mutate(value);
  };
  const error = (field: string) =>
    isApiError(adjust.error) ? adjust.error.field(field) : undefined;
  return (
    <Dialog
      open
      onClose={onClose}
      width="sm"
      title="Adjust the score"
      description={`${displayName(lead)} has ${format.points(lead.currentScore)} points. A correction stands in the history, and decays like the rest.`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="adjust" busy={adjust.isPending}>
            Adjust
          </Button>
        </>
      }
    >
      <form
        id="adjust"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field
          label="Points"
          hint="Below 0 takes points away."
          error={missing.points ?? error('points')}
        >
          <Input
            inputMode="text"
            value={points}
            placeholder="10"
            autoComplete="off"
            onChange={(event) => setPoints(event.target.value)}
          />
        </Field>
        <Field label="Note" error={missing.note ?? error('note')}>
          <Textarea
            value={note}
            placeholder="Met at the fair, wants an offer"
            onChange={(event) => setNote(event.target.value)}
          />
        </Field>
        {adjust.isError && (!isApiError(adjust.error) || adjust.error.errors.length === 0) && (
          <Notice tone="danger">{messageOf(adjust.error)}</Notice>
        )}
      </form>
    </Dialog>
  );
}

// ── Merge ────────────────────────────────────────────────────────────────────────────

type MergeProps = Props & { onMerged: (survivor: string) => void };

/** Finds the other lead, shows what would come of it, and makes two leads one. */
export function MergeDialog(props: MergeProps) {
  return props.open ? <MergeChoice {...props} /> : null;
}

function MergeChoice({ lead, onClose, onMerged }: MergeProps) {
  const queries = useQueryClient();
  const [other, setOther] = useState<Lead | null>(null);
  const merge = useMutation({
    mutationFn: (into: Lead) => mergeLead(lead.id, into.id),
    onSuccess: async (done) => {
      const made = 'merge' in done ? done.merge : null;
      onClose();
      toast('The two are one lead now', {
        label: 'Undo',
        run: () => {
          if (made === null) return;
          undoMerge(made.id)
            .then(() => queries.invalidateQueries({ queryKey: keys.leads.all }))
            .catch(toastError);
        },
      });
      onMerged(done.leadId);
      await queries.invalidateQueries({ queryKey: keys.leads.all });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={other === null ? 'Merge with another lead' : 'Merge these two?'}
      description={
        other === null
          ? 'For one person who is here twice. You see what comes of it before anything happens.'
          : undefined
      }
      footer={
        other !== null && (
          <>
            <Button onClick={() => setOther(null)}>Back</Button>
            <Button kind="primary" busy={merge.isPending} onClick={() => merge.mutate(other)}>
              Merge
            </Button>
          </>
        )
      }
    >
      {other === null ? (
        <FindLead not={lead.id} onFound={setOther} />
      ) : (
        <>
          <Preview lead={lead} into={other} />
          {merge.isError && (
            <Notice tone="danger" className="mt-3">
              {messageOf(merge.error)}
            </Notice>
          )}
        </>
      )}
    </Dialog>
  );
}

function FindLead({ not, onFound }: { not: string; onFound: (lead: Lead) => void }) {
  const [query, setQuery] = useState('');
  const settled = useSettled(query.trim(), 200);
  const { data, isFetching } = useQuery(leadSearchQuery(settled));
  const found = settled.length < 2 ? [] : (data?.leads ?? []).filter(({ id }) => id !== not);
  return (
    <div className="flex flex-col gap-2">
      <Field label="The other lead" hint="By name, email, company or user id.">
        <Input
          type="search"
          value={query}
          autoComplete="off"
          onChange={(event) => setQuery(event.target.value)}
        />
      </Field>
      <ul aria-label="Leads found" className="min-h-44">
        {found.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              className="flex min-h-11 w-full items-center gap-3 rounded-md px-2 py-1 text-left text-sm hover:bg-hover"
              onClick={() => onFound(one)}
            >
              <Avatar person={one} />
              <PersonName person={one} className="flex-1" />
              <StageBadge stage={one.leadStage} />
            </button>
          </li>
        ))}
        {settled.length >= 2 && found.length === 0 && !isFetching && (
          <li className="px-2 py-3 text-sm text-muted">Nobody is called like this.</li>
        )}
      </ul>
    </div>
  );
}

function Preview({ lead, into }: { lead: Lead; into: Lead }) {
  const query = useQuery(mergePreviewQuery(lead.id, into.id));
  if (query.isError) {
    return (
      <ErrorState
        error={query.error}
        title="These two can’t be merged"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const made = query.data;
  const lines =
    made === undefined
      ? []
      : ([
          ['Email', made.profile.email],
          ['User id', made.profile.userId],
          ['Company', made.profile.company],
          ['Events', made.events === null ? 'Very many' : format.number(made.events)],
        ] as const);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-3 text-sm">
        <Small lead={lead} />
        <ArrowRight aria-label="merges into" className="size-4 shrink-0 text-muted" />
        <Small lead={into} />
      </div>
      <div className="rounded-lg border border-line p-3">
        {made === undefined ? (
          <div className="flex flex-col gap-2">
            <Skeleton className="h-5 w-1/2" />
            <Skeleton className="h-4 w-3/4" />
            <Skeleton className="h-4 w-2/3" />
          </div>
        ) : (
          <>
            <div className="flex flex-wrap items-center gap-2">
              <span className="truncate font-medium">{displayName(made.profile)}</span>
              {made.stage !== null && <StageBadge stage={made.stage} />}
              <StatusBadge status={made.profile.status} />
              {made.score !== null && (
                <span className="ml-auto text-sm">
                  <Points value={made.score} className="font-semibold" /> points
                </span>
              )}
            </div>
            <dl className="mt-2 grid grid-cols-[72px_minmax(0,1fr)] gap-x-3 gap-y-1 text-sm">
              {lines.map(([label, value]) => (
                <div key={label} className="contents">
                  <dt className="text-muted">{label}</dt>
                  <dd className="truncate">{value ?? format.NONE}</dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </div>
      <p className="text-sm text-muted">
        Both ids keep answering. It can be undone from the merged lead, under Identities.
      </p>
    </div>
  );
}

function Small({ lead }: { lead: Lead }) {
  return (
    <span className="flex min-w-0 items-center gap-2">
      <Avatar person={lead} />
      <span className="max-w-40 truncate" title={displayName(lead)}>
        {displayName(lead)}
      </span>
      <Points value={lead.currentScore} className="text-muted" />
    </span>
  );
}

// ── Remove and erase ─────────────────────────────────────────────────────────────────

type GoneProps = Props & { onGone: () => void };

export function RemoveDialog({ lead, open, onClose, onGone }: GoneProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => removeLead(lead.id),
    onSuccess: () => {
      onClose();
      toast(`${displayName(lead)} is removed`);
      onGone();
      return queries.invalidateQueries({ queryKey: keys.leads.lists });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      title={`Remove ${displayName(lead)}?`}
      action="Remove lead"
      busy={remove.isPending}
      error={remove.isError ? messageOf(remove.error) : null}
    >
      Its profile, score, events and history are deleted, and can’t be brought back. The person
      comes back as a new lead when seen again. To keep somebody out for good, erase the person.
    </ConfirmDialog>
  );
}

export function EraseDialog({ lead, open, onClose, onGone }: GoneProps) {
  const queries = useQueryClient();
  const erase = useMutation({
    mutationFn: () => eraseLead(lead.id),
    onSuccess: () => {
      onClose();
      toast('The person is erased');
      onGone();
      return queries.invalidateQueries({ queryKey: keys.leads.lists });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      onConfirm={() => erase.mutate()}
      title={`Erase ${displayName(lead)}?`}
      action="Erase person"
      typed="erase"
      busy={erase.isPending}
      error={erase.isError ? messageOf(erase.error) : null}
    >
      <ul className="ml-4 flex list-disc flex-col gap-1">
        <li>Everything known about the person is deleted: profile, events, scores, history.</li>
        <li>
          The email, user id and browsers are suppressed: events that come later are answered as
          ever, and not kept.
        </li>
        <li>Only an owner can lift that; what was deleted never comes back.</li>
      </ul>
    </ConfirmDialog>
  );
}
