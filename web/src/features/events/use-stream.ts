import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { type PointerEvent, useEffect, useRef, useState } from 'react';

import { type Event, type EventFilters, eventsQuery, olderEventsQuery } from '@/api/events';
import { keys } from '@/api/keys';
import { useHold, useLive, useLiveQueries } from '@/api/live';

import { arrived, flooded, join, NOTHING, renew, type Waiting } from './stream';

type Head = { rows: readonly Event[]; cursor: string | null };

/**
 * Events as they come, and older ones by scrolling. Hints say that there is something new, and the
 * newest page is asked for twice a second at most, however many there are. The list stands still
 * while it is paused, scrolled, or under the pointer; what comes meanwhile is counted.
 */
export function useStream(filters: EventFilters) {
  const queries = useQueryClient();
  const newest = useQuery(eventsQuery(filters));
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [waiting, setWaiting] = useState<Waiting>(NOTHING);
  const [head, setHead] = useState<Head>({ rows: [], cursor: null });
  const [read, setRead] = useState<unknown>(undefined);
  const [start, setStart] = useState<string>();
  const older = useInfiniteQuery(olderEventsQuery(filters, start));
  const hold = useHold();

  const still = paused || scrolled;
  const { data } = newest;
  if (data !== undefined && data !== read && (!still || read === undefined)) {
    setRead(data);
    setHead(({ rows }) => ({
      rows: renew(rows, data.events, data.nextCursor !== null),
      cursor: data.nextCursor,
    }));
    setWaiting(NOTHING);
  }

  const key = keys.events.list(filters);
  useLiveQueries(['newEvent'], still ? [] : [key], {
    hold,
    when: (message) => fits(message as Hint, filters),
  });
  const inside = useRef(false);
  useCounted(
    head.rows,
    (message) => (still || inside.current) && fits(message, filters),
    setWaiting,
  );

  const rows = join(head.rows, older.data?.pages.flatMap(({ events }) => events) ?? []);
  const catchUp = () => {
    setStart(undefined);
    setScrolled(false);
    setPaused(false);
    setWaiting(NOTHING);
    hold.release();
    void queries.invalidateQueries({ queryKey: key });
  };
  return {
    rows,
    /** For the element around the list. */
    props: {
      onPointerEnter: (event: PointerEvent) => {
        inside.current = event.pointerType !== 'touch';
        hold.props.onPointerEnter(event);
      },
      onPointerLeave: () => {
        inside.current = false;
        hold.props.onPointerLeave();
      },
    },
    waiting: still || hold.waiting ? waiting : NOTHING,
    paused,
    error: newest.data === undefined ? newest.error : null,
    pending: newest.isPending,
    retry: () => void newest.refetch(),
    pause: () => setPaused(true),
    /** Shows what waits, from the top. */
    catchUp,
    onScroll: (top: number) => {
      const away = top > 40;
      if (away === scrolled) return;
      setScrolled(away);
      // Back at the top the stream goes on by itself.
      if (!away && !paused) {
        setStart(undefined);
        void queries.invalidateQueries({ queryKey: key });
      }
    },
    more: start === undefined ? head.cursor !== null : older.hasNextPage || older.isPending,
    loadingMore: older.isFetching,
    moreError: older.error,
    loadMore: () => {
      if (start === undefined) {
        if (head.cursor !== null) setStart(head.cursor);
      } else if (older.hasNextPage && !older.isFetching) void older.fetchNextPage();
    },
  };
}

type Hint = { eventType: string | null; leadId: string | null };

/** A hint that can't be about this list asks for nothing. */
export function fits({ eventType, leadId }: Hint, filters: EventFilters): boolean {
  if (filters.type !== undefined && eventType !== null && filters.type !== eventType) return false;
  return filters.leadId === undefined || leadId === null || leadId === filters.leadId;
}

/** How often what was counted is shown, in milliseconds. */
const SHOWN_EVERY = 200;

/** Counts events that come while the list stands still, but those that stand in it. */
function useCounted(
  rows: readonly Event[],
  counts: (message: Hint) => boolean,
  set: (change: (now: Waiting) => Waiting) => void,
): void {
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    known.current = new Set(rows.map(({ id }) => id));
  }, [rows]);
  const heard = useRef<{ ids: string[]; flood: boolean }>({ ids: [], flood: false });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const soon = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      const { ids, flood } = heard.current;
      heard.current = { ids: [], flood: false };
      set((now) => {
        const next = ids.filter((id) => !known.current.has(id)).reduce(arrived, now);
        return flood ? flooded(next) : next;
      });
    }, SHOWN_EVERY);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive('newEvent', (message) => {
    if (!counts(message)) return;
    heard.current.ids.push(message.id);
    soon();
  });
  useLive('flood', ({ events }) => {
    if (events === 0 || !counts({ eventType: null, leadId: null })) return;
    heard.current.flood = true;
    soon();
  });
}
