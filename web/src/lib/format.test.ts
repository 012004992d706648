import { describe, expect, it } from 'vitest';

import * as format from './format';

const NOW = Date.parse('2026-05-01T12:00:00Z');

describe('numbers', () => {
  it('are grouped, and a dash where there is none', () => {
    expect(format.number(1_234_567)).toBe('1,234,567');
    expect(format.number(null)).toBe('–');
  });
  it('of points have one digit at most and no minus before nothing', () => {
    expect(format.points(12.345)).toBe('12.3');
    expect(format.points(-0.0000001)).toBe('0');
    expect(format.delta(12)).toBe('+12');
    expect(format.delta(-0.04)).toBe('0');
  });
  it('of change say nothing about nothing', () => {
    expect(format.change(5, 0)).toBeNull();
    expect(format.change(5, null)).toBeNull();
    expect(format.change(15, 10)).toBe(0.5);
    expect(format.change(-5, -10)).toBe(0.5);
  });
});

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [0.34, '340 µs'],
    [3.42, '3.4 ms'],
    [412.3, '412 ms'],
    [3_400, '3.4 s'],
    [300_000, '5 min'],
    [7_200_000, '2 h'],
    [259_200_000, '3 d'],
  ])('%d ms is %s', (milliseconds, said) => {
    expect(format.duration(milliseconds)).toBe(said);
  });
});

describe('relative times', () => {
  it.each([
    ['2026-05-01T11:59:55Z', 'just now'],
    ['2026-05-01T11:57:00Z', '3 min. ago'],
    ['2026-05-01T14:00:00Z', 'in 2 hr.'],
    ['2026-04-30T11:00:00Z', 'yesterday'],
    ['2026-04-10T12:00:00Z', '3 wk. ago'],
  ])('%s is %s', (at, said) => {
    expect(format.relativeTime(at, NOW)).toBe(said);
  });
});

it('names of events become words', () => {
  expect(format.words('pricing_page-viewed')).toBe('Pricing page viewed');
  expect(format.words('$adjustment')).toBe('Adjusted by hand');
});
