import type { Event } from '@/api/events';

/** So many rows are kept while the stream runs; what is older is asked for again when scrolled to. */
export const RING = 300;

/**
 * The rows after the newest page came: the page, and behind it what was known and is older. Where
 * more came than a page has, what was known doesn't adjoin any more and is left out; so is what
 * stands behind a row that still waited when it was read, for nobody tells what became of it.
 */
export function renew(ring: readonly Event[], page: readonly Event[], more: boolean): Event[] {
  const last = page.at(-1);
  if (last === undefined || !more) return page.slice(0, RING);
  const place = ring.findIndex(({ id }) => id === last.id);
  if (place === -1) return page.slice(0, RING);
  const tail = ring.slice(place + 1);
  const old = tail.findIndex(({ status }) => status === 'queued');
  return [...page, ...(old === -1 ? tail : tail.slice(0, old))].slice(0, RING);
}

/** Rows that are shown, with those behind them, each once. */
export function join(ring: readonly Event[], older: readonly Event[]): readonly Event[] {
  if (older.length === 0) return ring;
  const known = new Set(ring.map(({ id }) => id));
  return [...ring, ...older.filter(({ id }) => !known.has(id))];
}

/** What has come while the list stands still. */
export type Waiting = { ids: ReadonlySet<string>; more: boolean };
export const NOTHING: Waiting = { ids: new Set(), more: false };
/** Beyond that it only says that there are more. */
const COUNTED = 500;

/** An event is told when it comes and when it is scored, and counts once. */
export function arrived(waiting: Waiting, id: string): Waiting {
  if (waiting.ids.has(id)) return waiting;
  if (waiting.ids.size >= COUNTED) return waiting.more ? waiting : { ...waiting, more: true };
  return { ...waiting, ids: new Set(waiting.ids).add(id) };
}

/** More than were told one by one. */
export function flooded(waiting: Waiting): Waiting {
  return waiting.more ? waiting : { ...waiting, more: true };
}
