import { expect, it } from 'vitest';

import { told } from './score';

it('a demo request makes a lead hot, as in a new project', () => {
  expect(told({ acts: ['demo_request'], idleDays: 0 })).toMatchObject({
    score: 50,
    stage: 'hot',
    action: 'Offer a demo',
  });
});

it('pages count up to their cap', () => {
  const { score, reasons } = told({
    acts: Array(4).fill('page_view') as 'page_view'[],
    idleDays: 0,
  });
  expect(score).toBe(15);
  expect(reasons).toEqual([{ act: 'page_view', times: 4, points: 15, capped: true }]);
});

it('points and decay make the score, and silence changes what to do', () => {
  const silent = told({ acts: ['signup', 'demo_request'], idleDays: 21 });
  const sum = silent.reasons.reduce((all, { points }) => all + points, 0);
  expect(sum + silent.decay).toBeCloseTo(silent.score);
  expect(silent.score).toBeCloseTo(80 * 0.95 ** 14);
  expect(silent.action).toContain('Win back');
});
