import { type QueryClient, type QueryKey, hashKey, useQueryClient } from '@tanstack/react-query';
import { type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Socket } from 'socket.io-client';

import { store, useStore } from '@/lib/store';

import { keys } from './keys';

/** What the server tells: hints that something changed. What it is now is asked by the usual calls. */
export type LiveMessages = {
  newEvent: {
    id: string;
    eventType: string;
    leadId: string | null;
    anonymousId: string | null;
    timestamp: string;
    status: 'queued' | 'scored' | 'held';
  };
  leadUpdated: {
    leadId: string;
    version: number;
    currentScore: number;
    leadStage: string;
    previousStage?: string;
  };
  scoreMutation: { leadId: string; eventType: string; delta: number; newScore: number };
  automationExecuted: Record<string, unknown>;
  /** More changes than are worth telling one by one. */
  flood: { events: number; leads: number };
};
export type LiveEvent = keyof LiveMessages;
const EVENTS: readonly LiveEvent[] = [
  'newEvent',
  'leadUpdated',
  'scoreMutation',
  'automationExecuted',
  'flood',
];

export type LiveState = { status: 'connecting' | 'up' | 'down'; since: number };

/** At most this often, in milliseconds, a query is asked again because of hints. */
const PACE = 500;
/** How often it is asked without a connection. */
const FALLBACK = 30_000;

export const liveState = store<LiveState>({ status: 'connecting', since: Date.now() });

/** The connection: up, down since when, or connecting for the first time. */
export function useLiveState(): LiveState {
  return useStore(liveState);
}

// ── Hints ────────────────────────────────────────────────────────────────────────────

type Listener = (event: LiveEvent, message: LiveMessages[LiveEvent]) => void;
const listeners = new Set<Listener>();

/** Hands a hint to everybody who listens; the socket does, and tests. */
export function heard<E extends LiveEvent>(event: E, message: LiveMessages[E]): void {
  for (const listener of [...listeners]) listener(event, message);
}

/** Calls back with every hint of a kind, for what is shown as it comes, such as a stream. */
export function useLive<E extends LiveEvent>(
  event: E,
  handle: (message: LiveMessages[E]) => void,
): void {
  const latest = useRef(handle);
  useEffect(() => {
    latest.current = handle;
  });
  useEffect(() => {
    const listener: Listener = (heardEvent, message) => {
      if (heardEvent === event) latest.current(message as LiveMessages[E]);
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [event]);
}

// ── Queries that follow hints ────────────────────────────────────────────────────────

/**
 * Keys that have to be asked again, at a bounded pace. One that is being asked right now waits for
 * its turn: to begin anew with each hint would never end in a flood.
 */
export class Follower {
  readonly #queries: QueryClient;
  readonly #dirty = new Map<string, QueryKey>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  mark(followed: readonly QueryKey[]): void {
    for (const key of followed) this.#dirty.set(hashKey(key), key);
    if (this.#dirty.size === 0) return;
    this.#timer ??= setTimeout(this.#flush, Math.max(50, this.#last + PACE - Date.now()));
  }

  readonly #flush = (): void => {
    this.#timer = undefined;
    this.#last = Date.now();
    const waiting = [...this.#dirty.values()];
    this.#dirty.clear();
    const busy = waiting.filter((key) => this.#queries.isFetching({ queryKey: key }) > 0);
    for (const key of waiting) {
      if (!busy.includes(key)) void this.#queries.invalidateQueries({ queryKey: key });
    }
    this.mark(busy);
  };

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty.clear();
  }
}

const followers = new WeakMap<QueryClient, Follower>();

function followerOf(queries: QueryClient): Follower {
  let follower = followers.get(queries);
  if (follower === undefined) {
    follower = new Follower(queries);
    followers.set(queries, follower);
  }
  return follower;
}

/** Keeps a list still while the pointer is on it, so that nothing moves away from under it. */
export type Hold = {
  /** For the element around the list. */
  props: {
    onPointerEnter: (event: PointerEvent) => void;
    onPointerLeave: () => void;
  };
  /** Changes have come that are not shown yet. */
  waiting: boolean;
  /** Shows them now. */
  release: () => void;
  /** Runs at once, or when the pointer has left. */
  run: (action: () => void) => void;
};

export function useHold(): Hold {
  const held = useRef(false);
  const pending = useRef<(() => void) | null>(null);
  const [waiting, setWaiting] = useState(false);

  const release = useCallback(() => {
    const action = pending.current;
    pending.current = null;
    setWaiting(false);
    action?.();
  }, []);
  const run = useCallback((action: () => void) => {
    if (!held.current) {
      action();
      return;
    }
    pending.current = action;
    setWaiting(true);
  }, []);
  const props = useMemo(
    () => ({
      onPointerEnter: (event: PointerEvent) => {
        // A finger that has scrolled is not on the list any more.
        held.current = event.pointerType !== 'touch';
      },
      onPointerLeave: () => {
        held.current = false;
        release();
      },
    }),
    [release],
  );
  return useMemo(() => ({ props, waiting, release, run }), [props, waiting, release, run]);
}

/**
 * Asks queries again when hints of these kinds come: at most twice a second, and never under the
 * pointer when there is a hold. In a flood every kind counts.
 */
export function useLiveQueries(
  events: readonly LiveEvent[],
  followed: readonly QueryKey[],
  options: { hold?: Hold; when?: (message: LiveMessages[LiveEvent]) => boolean } = {},
): void {
  const queries = useQueryClient();
  const latest = useRef({ events, followed, ...options });
  useEffect(() => {
    latest.current = { events, followed, ...options };
  });
  useEffect(() => {
    const listener: Listener = (event, message) => {
      const { events: wanted, followed: marked, hold, when } = latest.current;
      if (event !== 'flood' && (!wanted.includes(event) || when?.(message) === false)) return;
      const mark = () => followerOf(queries).mark(marked);
      if (hold === undefined) mark();
      else hold.run(mark);
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [queries]);
}

// ── The connection ───────────────────────────────────────────────────────────────────

let socket: Socket | null = null;

/** Tries again at once. */
export function reconnect(): void {
  socket?.disconnect().connect();
}

/** Connects, and keeps connected until what it answers is called. */
export function connectLive(queries: QueryClient): () => void {
  let ended = false;
  let wasUp = false;
  const say = (status: LiveState['status']) =>
    liveState.set((now) => (now.status === status ? now : { status, since: Date.now() }));

  // What was missed while away is asked at once: all that is on screen.
  const up = () => {
    if (wasUp) void queries.invalidateQueries();
    wasUp = true;
    say('up');
  };
  const refused = () => {
    say('down');
    // Not tried again by itself when the session is at fault: who I am is asked, which asks for the
    // password where needed.
    if (socket !== null && !socket.active) {
      void queries.invalidateQueries({ queryKey: keys.me }).then(() => {
        if (!ended) setTimeout(() => socket?.connect(), 2_000);
      });
    }
  };

  void import('socket.io-client').then(({ io }) => {
    if (ended) return;
    socket = io({
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
    });
    socket.on('connect', up);
    socket.on('connect_error', refused);
    socket.on('disconnect', (reason) => {
      if (ended) return;
      say('down');
      if (reason === 'io server disconnect') refused();
    });
    for (const event of EVENTS) {
      socket.on(event, (message: LiveMessages[LiveEvent]) => heard(event, message));
    }
  });

  const fallback = setInterval(() => {
    if (liveState.get().status === 'down') void queries.invalidateQueries();
  }, FALLBACK);

  return () => {
    ended = true;
    clearInterval(fallback);
    followerOf(queries).stop();
    socket?.disconnect();
    socket = null;
    liveState.set({ status: 'connecting', since: Date.now() });
  };
}
