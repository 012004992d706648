import type { Explanation, HistoryEntry, Ledger, TimelineEvent } from '@/api/lead';

/** How the model takes points away; null: it does not. */
export type Decay = { factor: number; afterDays: number; everyDays: number } | null;

export type Spot = { at: number; score: number };
export type Mark = { at: number; value: number; label: string };

export type ScoreSeries = {
  times: number[];
  /** What is written. */
  past: (number | null)[];
  /** Decay that goes on, and what comes next when nothing else happens. */
  open: (number | null)[];
  marks: Mark[];
};

const DAY = 86_400_000;
/** So many steps to come are shown. */
const AHEAD = 5;

type Options = {
  now: number;
  decay: Decay;
  modelVersion: number;
  next: Explanation['next'];
  name: (eventType: string) => string;
};

/**
 * Each step of decay at its own time. The ledger keeps those of one gap as one entry; they lie as
 * far apart as the model says, and each takes the same share. Of an older model only the last is
 * known.
 */
export function steps(entry: HistoryEntry, decay: Decay, modelVersion: number): Spot[] {
  const last = { at: Date.parse(entry.timestamp), score: entry.newScore };
  const known = decay !== null && entry.modelVersion === modelVersion;
  if (!known || entry.steps < 2 || entry.oldScore <= 0 || entry.newScore <= 0) return [last];
  const share = (entry.newScore / entry.oldScore) ** (1 / entry.steps);
  const before = Array.from({ length: entry.steps - 1 }, (_, index) => ({
    at: last.at - (entry.steps - 1 - index) * decay.everyDays * DAY,
    score: entry.oldScore * share ** (index + 1),
  }));
  return [...before, last];
}

/** What decay will take, step by step, if nothing else happens. */
export function ahead(next: Explanation['next'], decay: Decay): Spot[] {
  if (next === null) return [];
  const first = { at: Date.parse(next.at), score: next.score };
  if (decay === null) return [first];
  return Array.from({ length: AHEAD }, (_, index) => ({
    at: first.at + index * decay.everyDays * DAY,
    score: first.score * decay.factor ** index,
  }));
}

/** Acts, and what was lost between them, of a lead whose whole ledger is too long to be read. */
export function fromActs(newestFirst: readonly TimelineEvent[]): Spot[] {
  const spots: Spot[] = [];
  for (const { timestamp, scoreDelta, newScore } of newestFirst.toReversed()) {
    const at = Date.parse(timestamp);
    const before = newScore - scoreDelta;
    const last = spots.at(-1);
    if (last !== undefined && Math.abs(last.score - before) > 0.005) {
      spots.push({ at: at - 1, score: before });
    }
    spots.push({ at, score: newScore });
  }
  return spots;
}

/** The score over time: a line of steps, dashed where nothing is written yet. */
export function scoreSeries(ledger: Ledger, options: Options): ScoreSeries {
  const { now, decay, modelVersion } = options;
  const written: Spot[] = [];
  const going: Spot[] = [];
  const marks: Mark[] = [];
  for (const entry of ledger.entries) {
    if (entry.open) going.push(...steps(entry, decay, modelVersion));
    else if (entry.kind === 'decay') written.push(...steps(entry, decay, modelVersion));
    else {
      const at = Date.parse(entry.timestamp);
      written.push({ at, score: entry.newScore });
      marks.push({ at, value: entry.newScore, label: told(entry, options.name) });
    }
  }
  if (ledger.newest !== null) {
    written.push(...fromActs(ledger.newest));
    for (const act of ledger.newest.toReversed()) {
      marks.push({
        at: Date.parse(act.timestamp),
        value: act.newScore,
        label: `${options.name(act.eventType)} ${signed(act.scoreDelta)}`,
      });
    }
  }
  const first = written[0];
  if (first === undefined) return { times: [], past: [], open: [], marks: [] };
  // A score begins at nothing, so that a lead of one act has a line, too.
  const start = { at: first.at - Math.max(60_000, (now - first.at) * 0.02), score: 0 };
  const lastWritten = written.at(-1) ?? first;
  const today = { at: Math.max(now, lastWritten.at), score: (going.at(-1) ?? lastWritten).score };
  const past = going.length === 0 ? [start, ...written, today] : [start, ...written];
  const open =
    going.length === 0
      ? [today, ...ahead(options.next, decay)]
      : [lastWritten, ...going, today, ...ahead(options.next, decay)];
  return { ...aligned(past, open), marks: distinct(marks) };
}

/** Two lines over the same times. Of several values at one instant the last one holds. */
function aligned(past: readonly Spot[], open: readonly Spot[]) {
  const one = new Map(past.map(({ at, score }) => [at, score]));
  const two = new Map(open.map(({ at, score }) => [at, score]));
  const times = [...new Set([...one.keys(), ...two.keys()])].sort((a, b) => a - b);
  const [end, begin] = [past.at(-1)?.at ?? 0, open[0]?.at ?? Infinity];
  let lastPast: number | null = null;
  let lastOpen: number | null = null;
  return {
    times,
    past: times.map((at) => (at > end ? null : (lastPast = one.get(at) ?? lastPast))),
    open: times.map((at) => (at < begin ? null : (lastOpen = two.get(at) ?? lastOpen))),
  };
}

/** Acts at one instant are one mark. */
function distinct(marks: readonly Mark[]): Mark[] {
  const byTime = new Map<number, Mark>();
  for (const mark of marks) {
    const before = byTime.get(mark.at);
    byTime.set(
      mark.at,
      before === undefined ? mark : { ...mark, label: `${before.label}, ${mark.label}` },
    );
  }
  return [...byTime.values()];
}

function told(entry: HistoryEntry, name: (eventType: string) => string): string {
  const what = entry.kind === 'adjustment' ? 'Adjusted by hand' : name(entry.eventType ?? '');
  return `${what} ${signed(entry.delta)}`;
}

function signed(points: number): string {
  const rounded = Math.round(points * 10) / 10;
  return rounded < 0 ? `−${-rounded}` : `+${rounded}`;
}
