import { expect, it } from 'vitest';

import { silentRules, stageOf } from './scored';

const stages = [
  { name: 'cold', from: 0 },
  { name: 'warm', from: 11 },
  { name: 'hot', from: 31 },
] as const;

it('a score is in the highest stage that it has reached', () => {
  expect([0, 10.9, 11, 30, 31, 500].map((score) => stageOf(score, stages))).toEqual([
    'cold',
    'cold',
    'warm',
    'warm',
    'hot',
    'hot',
  ]);
  expect(stageOf(-1, stages)).toBeNull();
});

it('rules that gave nothing say why', () => {
  const rule = { eventType: 'signup', active: true, trust: 'any' } as const;
  const rules = [
    { ...rule, id: 'gave', name: 'Gave' },
    { ...rule, id: 'capped', name: 'Capped' },
    { ...rule, id: 'server', name: 'Server', trust: 'server' as const },
    { ...rule, id: 'off', name: 'Off', active: false },
    { ...rule, id: 'other', name: 'Other', eventType: 'download' },
  ];
  const event = { eventType: 'signup', trusted: false, scored: { rules: [{ id: 'gave' }] } };
  expect(silentRules(event, rules).map(({ id, why }) => [id, why])).toEqual([
    ['capped', 'did not apply, or its cap was reached'],
    ['server', 'counts trusted events only'],
  ]);
});
