import type { EventFilters } from '@/api/events';
import { maybeText, type Param, search, type View } from '@/lib/search';

/** An instant as the address has it; nonsense is none. */
function maybeInstant(): Param<string | undefined> {
  return {
    fallback: undefined,
    read: (raw) => {
      const at = typeof raw === 'string' ? Date.parse(raw) : Number.NaN;
      return Number.isNaN(at) ? undefined : new Date(at).toISOString();
    },
  };
}

const params = {
  type: maybeText(128),
  lead: maybeText(64),
  session: maybeText(255),
  from: maybeInstant(),
  to: maybeInstant(),
  /** The one that is open. */
  event: maybeText(64),
};

/** What of the events stands in their address. */
export const eventsView = search(params);
export type EventsView = View<typeof params>;

/** What the list is asked for. */
export function filtersOf({ type, lead, session, from, to }: EventsView): EventFilters {
  return {
    ...(type !== undefined && { type }),
    ...(lead !== undefined && { leadId: lead }),
    ...(session !== undefined && { sessionId: session }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

/** Takes off every filter, and leaves what is open. */
export const NO_FILTERS = {
  type: undefined,
  lead: undefined,
  session: undefined,
  from: undefined,
  to: undefined,
} as const;

/** As <input type="datetime-local"> has it: the person's own time, to the minute. */
export function toLocal(at: string | undefined): string {
  if (at === undefined) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromLocal(local: string): string | undefined {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
