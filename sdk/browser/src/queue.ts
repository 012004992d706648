/**
 * Events that no server has confirmed, each under a name of its own: tabs that write at the
 * same time don't overwrite each other.
 */
import { get, names, remove, set } from "./storage";

const MOST_EVENTS = 300;
// In UTF-16 units: as bytes it stays below the 64 KiB that browsers send for a page that is gone.
const MOST_LETTERS = 20_000;

/** Events for one request. */
export interface Batch {
  ids: string[];
  events: string[];
}

export function put(id: string, event: object): void {
  set(`q${id}`, JSON.stringify(event));
  // The oldest are given up, in a browser that has been offline for long.
  names("q").slice(0, -MOST_EVENTS).forEach(remove);
}

export function confirm(ids: string[]): void {
  ids.forEach((id) => {
    remove(`q${id}`);
  });
}

/** The oldest that fit into one request, of all or of these. */
export function take(only?: Set<string>): Batch {
  const batch: Batch = { ids: [], events: [] };
  let letters = 0;
  for (const name of names("q")) {
    const id = name.slice(1);
    const event = get(name);
    if (!event || (only && !only.has(id))) continue;
    letters += event.length;
    if (batch.ids.length && letters > MOST_LETTERS) break;
    batch.ids.push(id);
    batch.events.push(event);
  }
  return batch;
}
