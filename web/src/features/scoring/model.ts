import type { Model, ModelParts, Preset, Rule } from '@/api/model';
import { randomId } from '@/lib/ids';

export type StageFrom = ModelParts['stages'][number];

/** The parts of a model without what only says which version it is. */
export function parts(model: ModelParts): ModelParts {
  const { stages, bounds, decay, velocity, risk, nextActions, notActivity, rules } = model;
  return { stages, bounds, decay, velocity, risk, nextActions, notActivity, rules };
}

/** Whether two values say the same, in whatever order their fields stand. */
export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => same(one[name], other[name]));
}

export function newRule(): Rule {
  return {
    id: randomId(),
    eventType: '',
    name: '',
    description: '',
    points: 5,
    active: true,
    conditions: [],
    maxPerDay: null,
    maxPointsPerDay: null,
    once: false,
    trust: 'any',
  };
}

export function withRule(model: ModelParts, rule: Rule): ModelParts {
  const known = model.rules.some(({ id }) => id === rule.id);
  const rules = known
    ? model.rules.map((other) => (other.id === rule.id ? rule : other))
    : [...model.rules, rule];
  return { ...model, rules };
}

export function withoutRule(model: ModelParts, id: string): ModelParts {
  return { ...model, rules: model.rules.filter((rule) => rule.id !== id) };
}

/** Sets where a stage begins; the first begins where scores do. */
export function withStage(model: ModelParts, index: number, from: number): ModelParts {
  const stages = model.stages.map((stage, at) => (at === index ? { ...stage, from } : stage));
  return { ...model, stages };
}

export function withBounds(model: ModelParts, bounds: ModelParts['bounds']): ModelParts {
  return withStage({ ...model, bounds }, 0, bounds.min);
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const made = [...list];
  const [taken] = made.splice(from, 1);
  if (taken !== undefined) made.splice(to, 0, taken);
  return made;
}

// Names under which rules match: case, spaces and hyphens are one.
function nameKey(type: string): string {
  return type.toLowerCase().replace(/[ -]/g, '_');
}

function ruleKey(rule: Rule): string {
  return `${nameKey(rule.eventType)} ${JSON.stringify(rule.conditions)}`;
}

/**
 * A preset as an edit of this project's model. A rule for the same events under the same conditions
 * keeps its id, since what it gave today counts towards its caps by it; others get fresh ones.
 */
export function fromPreset(now: ModelParts, preset: Preset): ModelParts {
  const ids = new Map(now.rules.map((rule) => [ruleKey(rule), rule.id]));
  const rules = preset.rules.map((rule) => {
    const id = ids.get(ruleKey(rule)) ?? randomId();
    ids.delete(ruleKey(rule));
    return { ...rule, id };
  });
  return { ...parts(preset), rules };
}

export type Named = { model: ModelParts; version: number };

export function named(model: Model): Named {
  return { model: parts(model), version: model.version };
}
