import { expect, it } from 'vitest';

import { micros, pipelineSteps, pipelineTotal } from './pipeline';

const times = {
  receivedAt: '2026-05-01T12:00:00.000100Z',
  committedAt: '2026-05-01T12:00:00.002600Z',
  claimedAt: '2026-05-01T12:00:00.010Z',
  scoredAt: '2026-05-01T12:00:00.014500Z',
  deliveredAt: '2026-05-01T12:00:00.020500Z',
};

it('each stage takes what passed since the one before, to the microsecond', () => {
  const steps = pipelineSteps(times);
  expect(steps.map(({ took }) => took)).toEqual([0, 2.5, 7.4, 4.5, 6]);
  expect(pipelineTotal(steps)).toBe(20.4);
  expect(micros('2026-05-01T12:00:00Z') % 1_000_000).toBe(0);
});

it('what waits is the stage after the last one that is known', () => {
  const steps = pipelineSteps({ ...times, claimedAt: null, scoredAt: null, deliveredAt: null });
  expect(steps.map(({ state }) => state)).toEqual(['done', 'done', 'waits', 'ahead', 'ahead']);
});

it('a stage that nobody wrote down lends its time to the next', () => {
  const steps = pipelineSteps({ ...times, committedAt: null });
  expect(steps.map(({ state }) => state)[1]).toBe('unknown');
  expect(steps[2]?.took).toBe(9.9);
});

it('clocks that differ never make a stage take less than nothing', () => {
  const steps = pipelineSteps({ ...times, committedAt: '2026-05-01T11:59:59.900Z' });
  expect(steps[1]?.took).toBe(0);
  expect(steps[2]?.took).toBe(9.9);
});
