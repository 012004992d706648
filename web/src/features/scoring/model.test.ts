import { expect, it } from 'vitest';

import type { ModelParts, Rule } from '@/api/model';

import { listOf, listText } from './condition-values';
import { curve, daysUntil, left } from './decay';
import { changes } from './diff';
import { merge } from './merge';
import { fromPreset, moved, newRule, withBounds, withoutRule, withRule, withStage } from './model';
import { rowsOf } from './rule-rows';
import { keyStep, room, topOf } from './stage-scale';
import { capsWords, conditionsWords, decayWords } from './words';

const signup: Rule = { ...newRule(), id: 's', eventType: 'signup', name: 'Sign up', points: 30 };
const view: Rule = { ...newRule(), id: 'v', eventType: 'page_view', name: 'Page view', points: 5 };
const model: ModelParts = {
  stages: [
    { name: 'cold', from: 0 },
    { name: 'warm', from: 11 },
    { name: 'hot', from: 31 },
    { name: 'qualified', from: 60 },
  ],
  bounds: { min: 0, max: 10_000 },
  decay: { factor: 0.95, afterDays: 7, everyDays: 1 },
  velocity: { factor: 3 },
  risk: { mediumDays: 7, highDays: 14 },
  nextActions: [
    { action: 'call', text: 'Call.', stages: ['hot'], risks: [], minVelocity: null },
    { action: 'wait', text: 'Wait.', stages: [], risks: [], minVelocity: null },
  ],
  notActivity: ['identify'],
  rules: [signup, view],
};
const told = (edited: ModelParts, base = model) =>
  changes(base, edited).map(({ what, how }) => [what, ...how]);

it('a model that is as it was has no changes', () => {
  expect(changes(model, structuredClone(model))).toEqual([]);
});

it('changes are told in words', () => {
  expect(told(withRule(model, { ...signup, points: 35, active: false }))).toEqual([
    ['Rule “Sign up”', 'points +30 → +35', 'switched off'],
  ]);
  expect(told(withoutRule(model, 'v'))).toEqual([['Rule “Page view”', 'no more +5 for page_view']]);
  expect(told(withStage(model, 1, 15))).toEqual([['Stages', 'warm from 11 → 15']]);
  expect(told({ ...model, decay: null })).toEqual([
    ['Decay', '× 0.95 after 7 days of silence, and again every day → off'],
  ]);
  expect(told({ ...model, nextActions: moved(model.nextActions, 1, 0) })).toEqual([
    ['Next actions', 'new order: wait, call'],
  ]);
});

it('that a value is of another kind is a change, though it reads the same', () => {
  const when = (value: unknown) =>
    withRule(model, { ...signup, conditions: [{ field: 'a', op: 'in', value: [value] }] });
  const [only] = changes(when(true), when('yes'));
  expect(only?.how).toHaveLength(1);
});

it('each change can be taken back by itself', () => {
  const edited = withStage(
    withoutRule(withRule(withBounds(model, { min: -10, max: 100 }), { ...signup, points: 1 }), 'v'),
    2,
    40,
  );
  const found = changes(model, edited);
  expect(found.map(({ key }) => key)).toEqual(['rule s', 'rule v', 'stages bounds']);
  const back = found.reduce((now, change) => change.undo(now), edited);
  expect(changes(model, back)).toEqual([]);
  expect(back.rules.map(({ id }) => id)).toEqual(['s', 'v']);
});

it('edits are brought over to a version that changed something else', () => {
  const mine = withStage(withRule(model, { ...signup, points: 35 }), 1, 15);
  const theirs = withRule(
    withRule({ ...model, velocity: { factor: 1 } }, { ...signup, name: 'Registered' }),
    { ...newRule(), id: 'n', eventType: 'new' },
  );
  const { model: made, lost } = merge(model, mine, theirs);
  expect(lost).toEqual([]);
  expect(made.velocity.factor).toBe(1);
  expect(made.stages[1]?.from).toBe(15);
  expect(made.rules.map(({ id, name, points }) => [id, name, points])).toEqual([
    ['s', 'Registered', 35],
    ['v', 'Page view', 5],
    ['n', '', 5],
  ]);
});

it('where both changed the same, theirs stands and mine is told as lost', () => {
  const mine = withRule({ ...model, decay: null }, { ...signup, points: 35 });
  const theirs = withoutRule(
    withRule(
      { ...model, decay: { factor: 0.5, afterDays: 1, everyDays: 1 } },
      {
        ...signup,
        points: 20,
      },
    ),
    'v',
  );
  const made = merge(model, withRule(mine, { ...view, points: 6 }), theirs);
  expect(made.lost).toEqual([
    'decay',
    'a part of rule “Sign up”',
    'rule “Page view”, which is gone',
  ]);
  expect(changes(theirs, made.model)).toEqual([]);
});

it('a rule that I removed stays when somebody changed it', () => {
  const made = merge(model, withoutRule(model, 's'), withRule(model, { ...signup, points: 1 }));
  expect(made.model.rules).toHaveLength(2);
  expect(made.lost).toEqual(['the removal of rule “Sign up”']);
  expect(merge(model, withoutRule(model, 's'), model).model.rules).toHaveLength(1);
});

it('a preset keeps the ids of rules for the same events', () => {
  const preset = { ...model, name: 'sales' as const };
  const made = fromPreset(
    { ...model, rules: [{ ...signup, eventType: 'Sign-Up' }, view] },
    {
      ...preset,
      rules: [
        { ...view, id: 'page_view' },
        { ...signup, eventType: 'sign_up', id: 'x' },
      ],
    },
  );
  expect(made.rules.map(({ id }) => id)).toEqual(['v', 's']);
  const fresh = fromPreset({ ...model, rules: [] }, preset).rules;
  expect(new Set(fresh.map(({ id }) => id)).size).toBe(2);
  expect(fresh.map(({ id }) => id)).not.toContain('s');
});

it('decay takes its first step after more than so many days', () => {
  const weekly = { factor: 0.8, afterDays: 7, everyDays: 7 };
  expect([7, 7.1, 14, 14.1].map((days) => left(weekly, 100, days))).toEqual([
    100,
    80,
    80,
    expect.closeTo(64),
  ]);
  expect(left({ ...weekly, factor: 0.01 }, 0.1, 8)).toBe(0);
  expect(curve(null, 100, 2)).toEqual([100, 100, 100]);
});

it('the half-life is the day after which half is gone', () => {
  const decay = { factor: 0.5, afterDays: 7, everyDays: 2 };
  expect(daysUntil(decay, 0.5)).toBe(7);
  expect(daysUntil(decay, 0.25)).toBe(9);
  expect(daysUntil(null, 0.5)).toBeNull();
  expect(daysUntil({ ...decay, factor: Number.NaN }, 0.5)).toBeNull();
});

it('handles leave room between stages', () => {
  const starts = [0, 11, 31, 60];
  expect(room(starts, 1, 100)).toEqual({ least: 1, most: 30 });
  expect(room(starts, 3, 100)).toEqual({ least: 32, most: 100 });
  expect(keyStep('PageUp', 25, { least: 1, most: 30 })).toBe(30);
  expect(keyStep('ArrowLeft', 1, { least: 1, most: 30 })).toBe(1);
  expect(keyStep('a', 1, { least: 1, most: 30 })).toBeNull();
  expect(topOf(starts, 10_000)).toBe(100);
  expect(topOf(starts, 70)).toBe(70);
});

it('rules are found by name and event, and sorted by what they gave', () => {
  const used = [
    { id: 's', name: '', active: true, hits: 1, points: 30 },
    { id: 'v', name: '', active: true, hits: 9, points: 45 },
  ];
  const edited = withRule(model, { ...view, points: 6 });
  const rows = (q: string, sort: 'gave' | 'points') =>
    rowsOf(edited, model, used, {
      q,
      sort,
      order: 'desc',
      problems: [{ field: 'rules[1].points' }],
    });
  expect(rows('', 'gave').map(({ rule, state, wrong }) => [rule.id, state, wrong])).toEqual([
    ['v', 'Changed', true],
    ['s', null, false],
  ]);
  expect(rows('', 'points').map(({ rule }) => rule.id)).toEqual(['s', 'v']);
  expect(rows('PAGE_', 'gave').map(({ rule }) => rule.id)).toEqual(['v']);
});

it('values of lists keep their kind', () => {
  const values = ['pro', 5, '5', true, 'true', 'a, b'];
  expect(listText(values)).toBe('pro, 5, "5", true, "true", "a, b"');
  expect(listOf(listText(values))).toEqual(values);
});

it('rules are read as sentences', () => {
  expect(conditionsWords([{ field: '$path', op: 'contains', value: 'pricing' }])).toBe(
    'page path contains “pricing”',
  );
  expect(conditionsWords([{ field: 'plan', op: 'exists', value: false }])).toBe('plan is missing');
  expect(capsWords({ maxPerDay: 1, maxPointsPerDay: 15, once: true })).toBe(
    '1 time and 15 points a day, once per lead',
  );
  expect(decayWords(null)).toBe('off');
});
