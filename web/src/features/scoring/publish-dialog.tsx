import { useMutation, useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useState } from 'react';

import { isApiError, messageOf } from '@/api/errors';
import { keys } from '@/api/keys';
import { publishModel, type Scope } from '@/api/model';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Field, RadioGroup, Textarea } from '@/components/ui/form';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import * as format from '@/lib/format';

import { ChangesList } from './changes-list';
import { useCheck } from './check';
import type { Editing } from './pending';

type Props = { open: boolean; onClose: () => void; editing: Editing };

/** What would change and whom it concerns; then publishes it, from now on or for all history. */
export function PublishDialog({ open, onClose, editing }: Props) {
  const { model, base, changes, edit, discard, newer } = editing;
  const queries = useQueryClient();
  const [scope, setScope] = useState<Scope>('from-now');
  const [note, setNote] = useState('');
  const check = useCheck(model, base, { scope, enabled: open && changes.length > 0 });
  const publish = useMutation({
    mutationFn: () =>
      publishModel(model, { basedOn: base.version, scope, note: note.trim() || null }),
    onSuccess: async (made) => {
      // First what is in force now: without its edit the page would show the old model for a moment.
      await queries.invalidateQueries({ queryKey: keys.model.part('current') });
      discard();
      onClose();
      setNote('');
      setScope('from-now');
      toast(
        made.scope === 'all-history'
          ? `Version ${made.version} is in force; all history is being scored again`
          : `Version ${made.version} is in force`,
      );
      void queries.invalidateQueries({ queryKey: keys.model.all });
      void queries.invalidateQueries({ queryKey: keys.leaderboard.all });
    },
    onError: (error) => {
      if (isApiError(error, 'model_changed')) {
        void queries.invalidateQueries({ queryKey: keys.model.part('current') });
        onClose();
      }
    },
  });
  const wrong = check.problems.length > 0;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      width="lg"
      title={`Publish version ${(newer ?? base.version) + 1}`}
      description={`${format.count(changes.length, 'change')} to version ${base.version}.`}
      footer={
        <>
          <Button onClick={onClose}>Keep editing</Button>
          <Button
            kind="primary"
            busy={publish.isPending}
            disabled={wrong || changes.length === 0 || newer !== null}
            onClick={() => publish.mutate()}
          >
            Publish
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <ChangesList changes={changes} onUndo={(change) => edit(change.undo)} />
        <fieldset>
          <legend className="mb-2 text-sm font-semibold">What it counts for</legend>
          <RadioGroup
            label="What it counts for"
            value={scope}
            onChange={setScope}
            choices={[
              {
                value: 'from-now',
                label: 'From now',
                hint: 'Events that come in from now on are scored by it. Points that were given stay as they are.',
              },
              {
                value: 'all-history',
                label: 'All history',
                hint: 'Everything that ever happened is scored again by it, in the background, while new events go on.',
              },
            ]}
          />
        </fieldset>
        <Concerns check={check} scope={scope} />
        <Field label="Note" hint="Why, for whoever reads the versions later.">
          <Textarea
            value={note}
            rows={2}
            maxLength={500}
            onChange={(event) => setNote(event.target.value)}
          />
        </Field>
        {publish.error !== null && !isApiError(publish.error, 'model_changed') && (
          <Notice tone="danger" icon={TriangleAlert}>
            {messageOf(publish.error)}
          </Notice>
        )}
      </div>
    </Dialog>
  );
}

function Concerns({ check, scope }: { check: ReturnType<typeof useCheck>; scope: Scope }) {
  const { concerns, problems, error } = check;
  if (problems.length > 0) {
    return (
      <Notice tone="danger" icon={TriangleAlert}>
        <p className="font-medium">This can’t be published yet.</p>
        <ul className="mt-1 list-disc pl-4">
          {problems.slice(0, 6).map(({ field, message }) => (
            <li key={field}>
              <code className="font-mono text-xs">{field}</code> {message}
            </li>
          ))}
        </ul>
      </Notice>
    );
  }
  if (error !== null) return <Notice tone="warn">{messageOf(error)}</Notice>;
  const { idleLeads = null, blankedEvents = null } = concerns ?? {};
  return (
    <>
      {idleLeads !== null && (
        <Notice tone={idleLeads > 0 ? 'warn' : 'neutral'} icon={TriangleAlert}>
          {idleLeads === 0
            ? 'The changed decay concerns no lead right now.'
            : `The changed decay concerns ${format.count(idleLeads, 'idle lead')} at once: their scores are counted anew within minutes.`}
        </Notice>
      )}
      {scope === 'all-history' && blankedEvents !== null && blankedEvents > 0 && (
        <Notice tone="warn" icon={TriangleAlert}>
          {format.count(blankedEvents, 'event')} of types with conditions have lost their content by
          retention. They meet such a rule only if they did before and its conditions stay.
        </Notice>
      )}
    </>
  );
}
