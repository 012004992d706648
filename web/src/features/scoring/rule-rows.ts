import type { ModelParts, Rule, RuleUse } from '@/api/model';

import { ruleOf } from './check';
import { same } from './model';
import { ruleName } from './words';

export type Row = {
  rule: Rule;
  use: { hits: number; points: number };
  state: 'New' | 'Changed' | null;
  /** Something about it is wrong. */
  wrong: boolean;
};

type Wanted = {
  q: string;
  sort: 'name' | 'event' | 'points' | 'hits' | 'gave';
  order: 'asc' | 'desc';
  problems: readonly { field: string }[];
};

/** The rules that a search finds, with what they gave, in the order that is asked for. */
export function rowsOf(
  model: ModelParts,
  base: ModelParts,
  used: readonly RuleUse[],
  { q, sort, order, problems }: Wanted,
): Row[] {
  const uses = new Map(used.map((use) => [use.id, use]));
  const before = new Map(base.rules.map((rule) => [rule.id, rule]));
  const wrong = new Set(problems.map(({ field }) => ruleOf(field)));
  const word = q.trim().toLowerCase();
  const rows = model.rules
    .map((rule, index): Row => {
      const old = before.get(rule.id);
      const state = old === undefined ? 'New' : same(old, rule) ? null : 'Changed';
      return {
        rule,
        use: uses.get(rule.id) ?? { hits: 0, points: 0 },
        state,
        wrong: wrong.has(index),
      };
    })
    .filter(
      ({ rule }) =>
        rule.name.toLowerCase().includes(word) || rule.eventType.toLowerCase().includes(word),
    );
  const way = order === 'asc' ? 1 : -1;
  const byName = (a: Row, b: Row) => ruleName(a.rule).localeCompare(ruleName(b.rule));
  return rows.sort((a, b) => way * compare(a, b, sort) || byName(a, b));
}

function compare(a: Row, b: Row, sort: Wanted['sort']): number {
  switch (sort) {
    case 'name':
      return ruleName(a.rule).localeCompare(ruleName(b.rule));
    case 'event':
      return a.rule.eventType.localeCompare(b.rule.eventType);
    case 'points':
      return a.rule.points - b.rule.points;
    case 'hits':
      return a.use.hits - b.use.hits;
    case 'gave':
      return a.use.points - b.use.points;
  }
}
