import { useEffect, useMemo, useState } from 'react';

import type { Model, ModelParts } from '@/api/model';
import { type Store, store, useStore } from '@/lib/store';

import { type Change, changes } from './diff';
import { merge, type Merged } from './merge';
import { type Named, named, same } from './model';

/** Edits of a version that are not published. */
export type Pending = { base: Named; edited: ModelParts };

const stores = new Map<string, Store<Pending | null>>();
const place = (project: string) => `leadpulse.scoring.${project}`;

function isPending(found: unknown): found is Pending {
  const { base, edited } = (found ?? {}) as { base?: Partial<Named>; edited?: Partial<ModelParts> };
  return Array.isArray(base?.model?.rules) && Array.isArray(edited?.rules);
}

function read(project: string): Pending | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(place(project)) ?? 'null');
    return isPending(found) ? found : null;
  } catch {
    return null;
  }
}

function write(project: string, pending: Pending | null): void {
  try {
    if (pending === null) sessionStorage.removeItem(place(project));
    else sessionStorage.setItem(place(project), JSON.stringify(pending));
  } catch {
    // A full or forbidden storage only means that a reload forgets.
  }
}

function storeOf(project: string): Store<Pending | null> {
  let found = stores.get(project);
  if (found === undefined) {
    found = store(read(project));
    stores.set(project, found);
    const kept = found;
    kept.subscribe(() => write(project, kept.get()));
  }
  return found;
}

/** As if the page had been left, for tests. */
export function forgetPending(): void {
  stores.clear();
}

export type Editing = {
  /** What is shown: the edited model, or the one in force. */
  model: ModelParts;
  /** The version that is edited, as it was published. */
  base: Named;
  changes: Change[];
  /** The version that somebody else has published meanwhile. */
  newer: number | null;
  edit: (change: (model: ModelParts) => ModelParts) => void;
  discard: () => void;
  /** The model in force, whatever is edited. */
  inForce: ModelParts;
  /** Makes another model the edit, of the version in force. */
  replace: (model: ModelParts) => void;
  /** Brings the edits over to the version in force; answers what could not be kept. */
  bringOver: () => Merged;
};

/** The one pending change of a project, gathered over all tabs; a reload loses nothing of it. */
export function useEditing(project: string, current: Model): Editing {
  const [kept] = useState(() => storeOf(project));
  const pending = useStore(kept);
  const now = useMemo(() => named(current), [current]);
  const base = pending?.base ?? now;
  const model = pending?.edited ?? now.model;
  const found = useMemo(() => changes(base.model, model), [base, model]);

  // Edits that were all taken back are none.
  const idle = pending !== null && found.length === 0;
  useEffect(() => {
    if (idle) kept.set(null);
  }, [idle, kept]);

  return {
    model,
    base,
    changes: found,
    newer: pending !== null && !idle && now.version !== base.version ? now.version : null,
    edit: (change) =>
      kept.set((was) => {
        const from = was ?? { base: now, edited: now.model };
        const edited = change(from.edited);
        return same(edited, from.base.model) ? null : { base: from.base, edited };
      }),
    discard: () => kept.set(null),
    inForce: now.model,
    replace: (edited) => kept.set(same(edited, now.model) ? null : { base: now, edited }),
    bringOver: () => {
      const merged = merge(base.model, model, now.model);
      kept.set(same(merged.model, now.model) ? null : { base: now, edited: merged.model });
      return merged;
    },
  };
}
