import type { ModelParts, Rule } from '@/api/model';

import { same } from './model';
import { ruleName } from './words';

export type Merged = {
  model: ModelParts;
  /** Edits that could not be kept, in words. */
  lost: string[];
};

const PARTS = [
  'stages',
  'bounds',
  'decay',
  'velocity',
  'risk',
  'nextActions',
  'notActivity',
] as const;
const WORDS: Record<(typeof PARTS)[number], string> = {
  stages: 'the stages',
  bounds: 'the bounds of the score',
  decay: 'decay',
  velocity: 'velocity',
  risk: 'the days of risk',
  nextActions: 'the next actions',
  notActivity: 'what is no activity',
};

/**
 * Brings edits of one version over to the version that somebody else published meanwhile. What only
 * one of the two changed is taken; where both did, theirs stands and mine is told as lost.
 */
export function merge(base: ModelParts, mine: ModelParts, theirs: ModelParts): Merged {
  const lost: string[] = [];
  let model: ModelParts = { ...theirs };
  for (const part of PARTS) {
    if (same(base[part], mine[part]) || same(mine[part], theirs[part])) continue;
    if (same(base[part], theirs[part])) model = { ...model, [part]: mine[part] };
    else lost.push(WORDS[part]);
  }
  // The first stage begins where scores do, whoever changed which.
  const stages = model.stages.map((one, at) =>
    at === 0 ? { ...one, from: model.bounds.min } : one,
  );
  return { model: { ...model, stages, rules: mergedRules(base, mine, theirs, lost) }, lost };
}

function mergedRules(
  base: ModelParts,
  mine: ModelParts,
  theirs: ModelParts,
  lost: string[],
): Rule[] {
  const byId = (model: ModelParts) => new Map(model.rules.map((rule) => [rule.id, rule]));
  const [before, edited, now] = [byId(base), byId(mine), byId(theirs)];
  const kept = theirs.rules.flatMap((rule) => {
    const [old, own] = [before.get(rule.id), edited.get(rule.id)];
    if (old === undefined) return [rule];
    if (own === undefined) {
      if (same(old, rule)) return [];
      lost.push(`the removal of rule “${ruleName(rule)}”`);
      return [rule];
    }
    return [mergedRule(old, own, rule, lost)];
  });
  const added = mine.rules.filter(({ id }) => !before.has(id) && !now.has(id));
  for (const rule of mine.rules) {
    const old = before.get(rule.id);
    if (old !== undefined && !now.has(rule.id) && !same(old, rule)) {
      lost.push(`rule “${ruleName(rule)}”, which is gone`);
    }
  }
  return [...kept, ...added];
}

function mergedRule(old: Rule, own: Rule, rule: Rule, lost: string[]): Rule {
  const made: Record<string, unknown> = { ...rule };
  let clash = false;
  for (const name of Object.keys(rule) as (keyof Rule)[]) {
    if (same(old[name], own[name]) || same(own[name], rule[name])) continue;
    if (same(old[name], rule[name])) made[name] = own[name];
    else clash = true;
  }
  if (clash) lost.push(`a part of rule “${ruleName(rule)}”`);
  return made as Rule;
}
