import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';

import type { LeadList } from '@/api/lead';
import { useLive } from '@/api/live';

/** How long changes gather before a list is asked again by itself, in milliseconds. */
const PACE = 1_500;
/** A longer list is only asked again when the reader wants it. */
const PAGES = 2;

type List = { pages: LeadList[]; pageParams: unknown[] };

type Options = {
  /** The name of the list that is shown. */
  queryKey: readonly unknown[];
  ids: ReadonlySet<string>;
  /** The reader is not at the top, or at work on a row. */
  busy: () => boolean;
};

/**
 * Changes to a list that is looked at. At its top and untouched it follows by itself; under the
 * pointer, or further down, it stays as it is and says how many of its rows have changed.
 */
export function useListChanges({ queryKey, ids, busy }: Options) {
  const queries = useQueryClient();
  const [changed, setChanged] = useState(0);
  const touched = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const held = useRef(false);
  const latest = useRef({ queryKey, ids, busy });
  useEffect(() => {
    latest.current = { queryKey, ids, busy };
  });

  /** Asks for the list again from its beginning, as long as it was by itself. */
  const show = useCallback(() => {
    touched.current.clear();
    setChanged(0);
    const key = latest.current.queryKey;
    queries.setQueryData<List>(key, (list) =>
      list === undefined || list.pages.length <= PAGES
        ? list
        : { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) },
    );
    void queries.invalidateQueries({ queryKey: key, exact: true });
  }, [queries]);

  const settle = useCallback(() => {
    timer.current = undefined;
    const list = queries.getQueryData<List>(latest.current.queryKey);
    const long = (list?.pages.length ?? 0) > PAGES;
    if (held.current || long || latest.current.busy()) setChanged(touched.current.size);
    else show();
  }, [queries, show]);
  const note = useCallback(
    (id: string | null) => {
      if (id !== null && latest.current.ids.has(id)) touched.current.add(id);
      timer.current ??= setTimeout(settle, PACE);
    },
    [settle],
  );
  useEffect(() => () => clearTimeout(timer.current), []);

  useLive('leadUpdated', ({ leadId }) => note(leadId));
  useLive('flood', () => note(null));

  const name = JSON.stringify(queryKey);
  const [shownName, setShownName] = useState(name);
  if (shownName !== name) {
    setShownName(name);
    setChanged(0);
  }
  useEffect(() => {
    touched.current.clear();
  }, [name]);

  const hold = {
    onPointerEnter: (event: { pointerType: string }) => {
      held.current = event.pointerType !== 'touch';
    },
    onPointerLeave: () => {
      held.current = false;
      // What came meanwhile is shown now that nothing can move from under the pointer.
      if (touched.current.size > 0) timer.current ??= setTimeout(settle, PACE / 3);
    },
  };
  return { changed, show, hold };
}
