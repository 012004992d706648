import { expect, it } from 'vitest';

import { reached } from './funnel';

it('whoever is further has come through the stages before', () => {
  const steps = reached({ cold: 60, warm: 20, hot: 15, qualified: 5 });
  expect(steps.map(({ reached: people }) => people)).toEqual([100, 40, 20, 5]);
  expect(steps.map(({ conversion }) => conversion?.share ?? null)).toEqual([null, 0.4, 0.5, 0.25]);
});

it('a share of nobody is none', () => {
  const steps = reached({ cold: 0, warm: 0, hot: 0, qualified: 0 });
  expect(steps.map(({ conversion }) => conversion?.share ?? null)).toEqual([
    null,
    null,
    null,
    null,
  ]);
});
