/** Brings the queue to the server, until it says that it has it. */
import { allowed } from "./consent";
import { options } from "./options";
import { confirm, take, type Batch } from "./queue";
import { warn } from "./safe";
import { get, remove, set } from "./storage";

const SOON = 250;
const LONGEST_PAUSE = 5 * 60_000;
const LONGEST_WAIT = 3_600_000;
const TIME_LIMIT = 20_000;
const LEASE = 10_000;
// More than this is not sent for a page that is gone.
const MOST_KEPT_ALIVE = 21_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let busy = false;
let failures = 0;
/** When this page tries again, by the clock that nobody sets. */
let rest = 0;
/** Events of this page that were never sent in any way. */
const unsent = new Set<string>();

/** Says that this event of this page waits. */
export function sendSoon(id: string): void {
  unsent.add(id);
  later(SOON);
}

/** Sends what waits in some milliseconds, unless that is planned already. */
export function later(pause: number): void {
  timer ??= setTimeout(() => void flush(), pause);
}

/** Sends what waits, whatever was planned; not before the time that a server named. */
export function now(): void {
  clearTimeout(timer);
  timer = undefined;
  rest = failures = 0;
  void flush();
}

/** As the page goes out of sight: hands over what was not sent. It stays until confirmed. */
export function beacon(): void {
  if (busy) remove("lease");
  while (unsent.size && allowed() && !wait()) {
    const batch = take(unsent);
    // Those which another tab has sent meanwhile are not there any more.
    if (!batch.ids.length || !navigator.sendBeacon(address(), body(batch))) return;
    sent(batch);
  }
}

async function flush(): Promise<void> {
  timer = undefined;
  if (busy || !allowed()) return;
  busy = true;
  try {
    await navigator.locks.request(`ls.${options.apiKey}`, { ifAvailable: true }, drain);
  } catch {
    // Plain http knows no locks. Two tabs may take the lease at once: what they both send
    // counts once.
    const free = !ahead("lease", LEASE);
    if (free) set("lease", String(Date.now() + LEASE));
    await drain(free);
    if (free) remove("lease");
  }
  busy = false;
}

/** Sends all that waits, if it is this tab's turn. */
async function drain(turn: unknown): Promise<void> {
  if (!turn) later(1000 + Math.random() * 1000);
  while (turn) {
    const batch = take();
    if (!batch.ids.length || !allowed()) return;
    const pause = wait() || (await post(batch));
    if (pause > 0) {
      later(pause);
      return;
    }
  }
}

/** Sends a batch; the pause until it should be tried again, 0 when it is done with. */
async function post(batch: Batch): Promise<number> {
  const content = body(batch);
  sent(batch);
  let told = 0;
  try {
    const { ok, status, headers } = await fetch(address(), {
      method: "POST",
      body: content, // as text/plain, for which no browser asks first
      credentials: "omit",
      keepalive: content.length < MOST_KEPT_ALIVE,
      ...("timeout" in AbortSignal && { signal: AbortSignal.timeout(TIME_LIMIT) }),
    });
    if (status !== 429 && status < 500) {
      // Taken, or refused for good: the same again would be refused again.
      if (!ok) warn(`events refused (${status})`);
      confirm(batch.ids);
      rest = failures = 0;
      remove("wait");
      return 0;
    }
    told = Math.min(Number(headers.get("Retry-After")) * 1000 || 0, LONGEST_WAIT);
  } catch {
    // No connection.
  }
  const pause = Math.max(told, Math.min(1000 * 2 ** failures++, LONGEST_PAUSE));
  const spread = pause * (1 + Math.random() / 2);
  rest = performance.now() + spread;
  // What a server asks for holds for other tabs and the next page, too.
  if (told) set("wait", String(Date.now() + spread));
  return spread;
}

/** How long to leave the server alone. */
function wait(): number {
  return Math.max(ahead("wait", 2 * LONGEST_WAIT), rest - performance.now(), 0);
}

/** How far a stored instant is ahead; 0 for one that a wrong clock wrote. */
function ahead(name: string, most: number): number {
  const distance = Number(get(name)) - Date.now();
  return distance > 0 && distance <= most ? distance : 0;
}

function sent(batch: Batch): void {
  batch.ids.forEach((id) => unsent.delete(id));
}

function address(): string {
  return `${options.host}/api/ingest/batch`;
}

function body(batch: Batch): string {
  const { apiKey } = options;
  const sentAt = new Date().toISOString();
  return `${JSON.stringify({ apiKey, sentAt }).slice(0, -1)},"events":[${batch.events.join()}]}`;
}
