import { expect, it } from 'vitest';

import {
  flag,
  maybeNumber,
  maybeOneOf,
  oneOf,
  parseQuery,
  search,
  someOf,
  text,
  writeQuery,
} from './search';

const view = search({
  q: text(),
  sort: oneOf(['score', 'name'], 'score'),
  risk: maybeOneOf(['low', 'high']),
  stage: someOf(['cold', 'warm', 'hot']),
  min: maybeNumber(),
  test: flag(),
});

it('an empty address is the defaults', () => {
  expect(view.read({})).toEqual(view.defaults);
  expect(view.defaults).toEqual({
    q: '',
    sort: 'score',
    risk: undefined,
    stage: [],
    min: undefined,
    test: false,
  });
});

it('what makes no sense is left out, the rest kept', () => {
  const raw = { q: 'ada', sort: 'x', risk: 'medium', stage: 'hot,x,cold', min: 'many', other: '1' };
  expect(view.read(raw)).toEqual({ ...view.defaults, q: 'ada', stage: ['cold', 'hot'] });
});

it('what was written is read again as it was', () => {
  const state = {
    q: '1e3 & "x"',
    sort: 'name' as const,
    risk: 'high' as const,
    stage: ['warm' as const, 'hot' as const],
    min: -2.5,
    test: true,
  };
  expect(view.read(parseQuery(writeQuery(view.strip(state))))).toEqual(state);
});

it('defaults are not written', () => {
  expect(writeQuery(view.strip(view.defaults))).toBe('');
  expect(writeQuery(view.strip({ ...view.defaults, stage: ['hot', 'cold'] }))).toBe(
    '?stage=hot,cold',
  );
});

it('a number of zero is a value', () => {
  expect(view.read({ min: '0' }).min).toBe(0);
  expect(view.read({ min: '' }).min).toBeUndefined();
});
