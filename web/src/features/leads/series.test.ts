import { expect, test } from 'vitest';

import type { HistoryEntry, TimelineEvent } from '@/api/lead';

import { ahead, fromActs, scoreSeries, steps } from './series';

const DAY = 86_400_000;
const T = Date.parse('2026-03-01T00:00:00Z');
const at = (days: number) => new Date(T + days * DAY).toISOString();
const DECAY = { factor: 0.5, afterDays: 7, everyDays: 1 };

function entry(changes: Partial<HistoryEntry>): HistoryEntry {
  return {
    kind: 'event',
    id: 'e',
    eventId: 'e',
    eventType: 'page_view',
    timestamp: at(0),
    oldScore: 0,
    delta: 0,
    newScore: 0,
    points: 0,
    rules: [],
    stage: 'cold',
    steps: 0,
    modelVersion: 1,
    recordedAt: at(0),
    open: false,
    ...changes,
  };
}

const OPTIONS = {
  now: T + 12 * DAY,
  decay: DECAY,
  modelVersion: 1,
  next: null,
  name: (type: string) => type,
};

test('decay of one gap is drawn step by step', () => {
  const decay = entry({ kind: 'decay', timestamp: at(9), oldScore: 80, newScore: 10, steps: 3 });
  expect(steps(decay, DECAY, 1).map((spot) => [(spot.at - T) / DAY, spot.score])).toEqual([
    [7, 40],
    [8, 20],
    [9, 10],
  ]);
});

test('of decay by an older model only its end is known', () => {
  const decay = entry({ kind: 'decay', timestamp: at(9), oldScore: 80, newScore: 10, steps: 3 });
  expect(steps(decay, DECAY, 2)).toEqual([{ at: T + 9 * DAY, score: 10 }]);
  expect(steps(decay, null, 1)).toHaveLength(1);
});

test('what comes next follows the model', () => {
  const next = { at: at(13), score: 8, stage: 'cold', stageChanges: false } as const;
  expect(
    ahead(next, DECAY)
      .slice(0, 3)
      .map((spot) => [(spot.at - T) / DAY, spot.score]),
  ).toEqual([
    [13, 8],
    [14, 4],
    [15, 2],
  ]);
  expect(ahead(null, DECAY)).toEqual([]);
});

test('a ledger is a line of steps that begins at nothing and ends now', () => {
  const series = scoreSeries(
    {
      entries: [
        entry({ newScore: 5, delta: 5 }),
        entry({ timestamp: at(1), oldScore: 5, delta: 15, newScore: 20, eventType: 'signup' }),
      ],
      newest: null,
    },
    { ...OPTIONS, now: T + 2 * DAY },
  );
  expect(series.past).toEqual([0, 5, 20, 20]);
  expect(series.times.slice(1)).toEqual([T, T + DAY, T + 2 * DAY]);
  expect(series.marks.map(({ label, value }) => [label, value])).toEqual([
    ['page_view +5', 5],
    ['signup +15', 20],
  ]);
});

test('decay that is not written yet is on the open line, up to now and beyond', () => {
  const series = scoreSeries(
    {
      entries: [
        entry({ newScore: 40, delta: 40 }),
        entry({
          kind: 'decay',
          timestamp: at(8),
          oldScore: 40,
          newScore: 10,
          steps: 2,
          open: true,
        }),
      ],
      newest: null,
    },
    {
      ...OPTIONS,
      now: T + 8.5 * DAY,
      next: { at: at(9), score: 5, stage: 'cold', stageChanges: false },
    },
  );
  const days = series.times.map((time) => (time - T) / DAY);
  expect(days.slice(1, 6)).toEqual([0, 7, 8, 8.5, 9]);
  expect(series.past.slice(0, 3)).toEqual([0, 40, null]);
  expect(series.open.slice(0, 6)).toEqual([null, 40, 20, 10, 10, 5]);
});

test('acts at one instant are one mark', () => {
  const series = scoreSeries(
    {
      entries: [
        entry({ newScore: 5, delta: 5 }),
        entry({ kind: 'adjustment', oldScore: 5, newScore: 2, delta: -3 }),
      ],
      newest: null,
    },
    OPTIONS,
  );
  expect(series.marks).toEqual([{ at: T, value: 2, label: 'page_view +5, Adjusted by hand −3' }]);
});

test('of a very long ledger the newest acts are drawn, with what was lost between them', () => {
  const act = (days: number, scoreDelta: number, newScore: number) =>
    ({ timestamp: at(days), scoreDelta, newScore, eventType: 'x' }) as TimelineEvent;
  expect(
    fromActs([act(9, 5, 15), act(0, 20, 20)]).map((spot) => [spot.at - T, spot.score]),
  ).toEqual([
    [0, 20],
    [9 * DAY - 1, 10],
    [9 * DAY, 15],
  ]);
});

test('a lead that did nothing has no line', () => {
  expect(scoreSeries({ entries: [], newest: null }, OPTIONS).times).toEqual([]);
});
