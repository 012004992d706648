import type { LucideIcon } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { store, useStore } from '@/lib/store';

/** Something that the search (⌘K) offers while a page is open. */
export type Action = {
  id: string;
  label: string;
  icon?: LucideIcon;
  /** Other words by which it is found. */
  words?: string;
  run: () => void;
};

const registered = store<readonly Action[]>([]);

/** Offers actions in the search for as long as the page is open. */
export function useActions(actions: readonly Action[]): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  const names = JSON.stringify(actions.map(({ id, label }) => [id, label]));
  useEffect(() => {
    const offered = latest.current.map((action) => ({
      ...action,
      // What it does now, not what it did when it was first offered.
      run: () => latest.current.find(({ id }) => id === action.id)?.run(),
    }));
    registered.set((now) => [...now, ...offered]);
    return () => registered.set((now) => now.filter((action) => !offered.includes(action)));
  }, [names]);
}

export function useOffered(): readonly Action[] {
  return useStore(registered);
}
