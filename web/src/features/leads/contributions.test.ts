import { expect, test } from 'vitest';

import type { Explanation } from '@/api/lead';

import { bars, contributions, nextWords } from './contributions';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const EXPLANATION: Explanation = {
  leadId: 'l1',
  at: '2026-03-01T00:00:00Z',
  score: 36,
  stage: 'hot',
  modelVersion: 1,
  asOf: '2026-03-01T00:00:00Z',
  complete: true,
  cutsSince: null,
  rules: [
    {
      id: 'r1',
      name: 'Demo request',
      eventType: 'demo_request',
      hits: 1,
      points: 50,
      cut: 0,
      caps: [],
      lastAt: '2026-02-01T00:00:00Z',
    },
    {
      id: 'r2',
      name: 'Page view',
      eventType: 'page_view',
      hits: 3,
      points: 15,
      cut: 10,
      caps: [{ cap: 'maxPointsPerDay', times: 2 }],
      lastAt: '2026-02-01T00:00:00Z',
    },
  ],
  adjustments: { count: 1, points: -5 },
  decay: { steps: 4, points: -24, lastAt: '2026-02-28T00:00:00Z' },
  bounds: { points: 0 },
  next: null,
};

test('the parts add up to the score', () => {
  const parts = contributions(EXPLANATION);
  expect(parts.map(({ label, points }) => [label, points])).toEqual([
    ['Demo request', 50],
    ['Page view', 15],
    ['Adjusted by hand', -5],
    ['Decay by silence', -24],
  ]);
  expect(parts.reduce((sum, { points }) => sum + points, 0)).toBe(EXPLANATION.score);
});

test('what caps cut is told with the reason', () => {
  const [demo, pages] = contributions(EXPLANATION);
  expect(demo?.caps).toBeNull();
  expect(pages?.caps).toBe('10 points not given: over its limit of points a day 2 times');
});

test('bounds are a part where they took or gave something', () => {
  const high = contributions({ ...EXPLANATION, bounds: { points: -100 } });
  expect(high.at(-1)?.label).toBe('Cut at the highest score');
  const low = contributions({ ...EXPLANATION, bounds: { points: 3 } });
  expect(low.at(-1)?.label).toBe('Held at the lowest score');
});

test('bars stand at both sides of nothing', () => {
  expect(bars([75, -25])).toEqual({
    zero: 25,
    bars: [
      { left: 25, width: 75 },
      { left: 0, width: 25 },
    ],
  });
  expect(bars([])).toEqual({ zero: 0, bars: [] });
  expect(bars([0]).bars).toEqual([{ left: 0, width: 0 }]);
});

test('what comes next is a sentence, with the stage when it changes', () => {
  const next = {
    at: '2026-03-03T00:00:00Z',
    score: 30,
    stage: 'warm',
    stageChanges: true,
  } as const;
  expect(nextWords({ ...EXPLANATION, next }, NOW)).toMatch(
    /^Falls from 36 to 30 .+ if nothing happens, and becomes warm\.$/,
  );
  expect(nextWords({ ...EXPLANATION, next: { ...next, stageChanges: false } }, NOW)).toMatch(
    /happens\.$/,
  );
  expect(nextWords(EXPLANATION, NOW)).toBeNull();
});
