import { CircleAlert, GitMerge } from 'lucide-react';
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { Notice } from '@/components/ui/states';
import { toast } from '@/components/ui/toast';
import * as format from '@/lib/format';

import { type Check, tabOf } from './check';
import type { Editing } from './pending';
import { TAB_NAMES, type Tab } from './view';

type Props = { editing: Editing; check: Check; onReview: () => void; onTab: (tab: Tab) => void };

/** That there is something to publish, what is wrong with it, and how to be rid of it. */
export function PendingBar({ editing, check, onReview, onTab }: Props) {
  const { changes, discard, newer } = editing;
  const [asking, setAsking] = useState(false);
  if (changes.length === 0) return null;
  const [first] = check.problems;
  return (
    <div
      role="region"
      aria-label="Changes that are not published"
      className="sticky bottom-0 z-20 border-t border-line bg-surface px-4 py-3 md:px-6"
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <span className="text-sm font-medium tabular">
          {format.count(changes.length, 'change')}, not published
        </span>
        {first !== undefined && (
          <button
            type="button"
            className="flex items-center gap-1 text-sm text-danger-text underline underline-offset-2"
            onClick={() => onTab(tabOf(first.field))}
          >
            <CircleAlert aria-hidden className="size-4" />
            {format.count(check.problems.length, 'problem')} in {TAB_NAMES[tabOf(first.field)]}
          </button>
        )}
        <span className="ml-auto flex items-center gap-2">
          <Button kind="ghost" onClick={() => setAsking(true)}>
            Discard
          </Button>
          <Button kind="primary" disabled={newer !== null} onClick={onReview}>
            Review and publish
          </Button>
        </span>
      </div>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          discard();
          setAsking(false);
        }}
        title="Discard your edit?"
        action="Discard"
      >
        {format.count(changes.length, 'change')} that nobody has published will be lost. The model
        in force stays as it is.
      </ConfirmDialog>
    </div>
  );
}

/** Somebody else has published a version while this one was edited. */
export function Overtaken({ editing }: { editing: Editing }) {
  const { newer, base, bringOver, discard } = editing;
  const [lost, setLost] = useState<string[]>([]);
  if (newer === null) {
    if (lost.length === 0) return null;
    return (
      <Notice
        tone="warn"
        icon={GitMerge}
        className="mb-4"
        action={
          <Button size="sm" onClick={() => setLost([])}>
            All right
          </Button>
        }
      >
        Kept as the other version says, since both changed it: {lost.join(', ')}.
      </Notice>
    );
  }
  return (
    <Notice
      tone="warn"
      icon={GitMerge}
      className="mb-4"
      action={
        <span className="flex shrink-0 flex-wrap gap-2">
          <Button size="sm" onClick={discard}>
            Discard mine
          </Button>
          <Button
            size="sm"
            kind="primary"
            onClick={() => {
              const merged = bringOver();
              setLost(merged.lost);
              if (merged.lost.length === 0) toast(`Your edit now changes version ${newer}`);
            }}
          >
            Keep my edits
          </Button>
        </span>
      }
    >
      <p className="font-medium">Version {newer} was published meanwhile.</p>
      <p>
        You edit version {base.version}. Your changes can be brought over; where both changed the
        same, the published version stands.
      </p>
    </Notice>
  );
}
