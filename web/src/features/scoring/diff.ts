import type { ModelParts, Rule } from '@/api/model';
import { STAGE } from '@/components/ui/badge';

import { same } from './model';
import type { Tab } from './view';
import {
  capsWords,
  conditionsWords,
  daysWords,
  decayWords,
  figure,
  pointsWords,
  ruleName,
  whenWords,
} from './words';

export type Change = {
  key: string;
  tab: Tab;
  kind: 'added' | 'removed' | 'changed';
  /** What is changed: Rule “Sign up”. */
  what: string;
  /** How, in words: points +5 → +7. */
  how: string[];
  /** The same model without this change. */
  undo: (model: ModelParts) => ModelParts;
};

/** What an edited model changes, in words and in the order of the page. */
export function changes(base: ModelParts, edited: ModelParts): Change[] {
  return [...ruleChanges(base, edited), ...settingChanges(base, edited)];
}

// ── Rules ────────────────────────────────────────────────────────────────────────────

function ruleChanges(base: ModelParts, edited: ModelParts): Change[] {
  const before = new Map(base.rules.map((rule) => [rule.id, rule]));
  const after = new Map(edited.rules.map((rule) => [rule.id, rule]));
  const found: Change[] = [];
  for (const rule of edited.rules) {
    const old = before.get(rule.id);
    if (old !== undefined && same(old, rule)) continue;
    found.push({
      key: `rule ${rule.id}`,
      tab: 'rules',
      kind: old === undefined ? 'added' : 'changed',
      what: `Rule “${ruleName(old ?? rule)}”`,
      how: old === undefined ? [ruleWords(rule)] : ruleDifference(old, rule),
      undo: (model) => ({
        ...model,
        rules:
          old === undefined
            ? model.rules.filter(({ id }) => id !== rule.id)
            : model.rules.map((one) => (one.id === rule.id ? old : one)),
      }),
    });
  }
  for (const [index, rule] of base.rules.entries()) {
    if (after.has(rule.id)) continue;
    found.push({
      key: `rule ${rule.id}`,
      tab: 'rules',
      kind: 'removed',
      what: `Rule “${ruleName(rule)}”`,
      how: [`no more ${pointsWords(rule.points)} for ${rule.eventType}`],
      undo: (model) => {
        const rules = [...model.rules];
        rules.splice(Math.min(index, rules.length), 0, rule);
        return { ...model, rules };
      },
    });
  }
  return found;
}

function ruleWords(rule: Rule): string {
  const when = rule.conditions.length === 0 ? '' : ` when ${conditionsWords(rule.conditions)}`;
  const caps = capsWords(rule);
  return (
    `${pointsWords(rule.points)} for ${rule.eventType || '…'}${when}` +
    (caps === '' ? '' : `, at most ${caps}`) +
    (rule.trust === 'server' ? ', from servers only' : '') +
    (rule.active ? '' : ', switched off')
  );
}

function arrow(name: string, before: string, after: string): string | null {
  return before === after ? null : `${name} ${before} → ${after}`;
}

function ruleDifference(old: Rule, rule: Rule): string[] {
  const every = 'always';
  return [
    arrow('points', pointsWords(old.points), pointsWords(rule.points)),
    rule.active === old.active ? null : rule.active ? 'switched on' : 'switched off',
    arrow('event', old.eventType, rule.eventType || '…'),
    arrow('name', `“${old.name}”`, `“${rule.name}”`),
    arrow(
      'when',
      conditionsWords(old.conditions) || every,
      conditionsWords(rule.conditions) || every,
    ) ?? (same(old.conditions, rule.conditions) ? null : 'another kind of value in a condition'),
    arrow('at most', capsWords(old) || 'without end', capsWords(rule) || 'without end'),
    arrow('events from', SENDER[old.trust], SENDER[rule.trust]),
    rule.description === old.description ? null : 'another description',
  ].filter((part) => part !== null);
}

const SENDER = { any: 'anybody', server: 'servers only' } as const;

// ── Everything else ──────────────────────────────────────────────────────────────────

type Part = Exclude<keyof ModelParts, 'rules'>;

function settingChanges(base: ModelParts, edited: ModelParts): Change[] {
  const found: Change[] = [];
  const add = (tab: Tab, names: Part[], what: string, how: (string | null)[]) => {
    if (names.every((name) => same(base[name], edited[name]))) return;
    const old = Object.fromEntries(names.map((name) => [name, base[name]]));
    found.push({
      key: names.join(' '),
      tab,
      kind: 'changed',
      what,
      how: how.filter((part) => part !== null),
      undo: (model) => ({ ...model, ...old }),
    });
  };
  // The lowest score is where the first stage begins: they go together.
  if (same(base.bounds.min, edited.bounds.min)) {
    add('stages', ['stages'], 'Stages', stageDifference(base, edited));
    add('stages', ['bounds'], 'Bounds', boundDifference(base, edited));
  } else {
    add('stages', ['stages', 'bounds'], 'Stages and bounds', [
      ...stageDifference(base, edited),
      ...boundDifference(base, edited),
    ]);
  }
  add('decay', ['decay'], 'Decay', [
    arrow('', decayWords(base.decay), decayWords(edited.decay))?.trim() ?? null,
  ]);
  add('velocity', ['velocity'], 'Velocity', [
    arrow('factor', figure(base.velocity.factor), figure(edited.velocity.factor)),
  ]);
  add('velocity', ['risk'], 'Risk', [
    arrow('medium after', daysWords(base.risk.mediumDays), daysWords(edited.risk.mediumDays)),
    arrow('high after', daysWords(base.risk.highDays), daysWords(edited.risk.highDays)),
  ]);
  add('velocity', ['notActivity'], 'What is no activity', [
    listed('added', edited.notActivity, base.notActivity),
    listed('removed', base.notActivity, edited.notActivity),
  ]);
  add('actions', ['nextActions'], 'Next actions', actionDifference(base, edited));
  return found;
}

function listed(word: string, from: readonly string[], without: readonly string[]): string | null {
  const names = from.filter((name) => !without.includes(name));
  return names.length === 0 ? null : `${word} ${names.map((name) => name || '…').join(', ')}`;
}

function stageDifference(base: ModelParts, edited: ModelParts): (string | null)[] {
  return edited.stages.map(({ name, from }, index) =>
    index === 0
      ? null
      : arrow(
          `${STAGE[name].label.toLowerCase()} from`,
          figure(base.stages[index]?.from),
          figure(from),
        ),
  );
}

function boundDifference(base: ModelParts, edited: ModelParts): (string | null)[] {
  return [
    arrow('lowest score', figure(base.bounds.min), figure(edited.bounds.min)),
    arrow('highest score', figure(base.bounds.max), figure(edited.bounds.max)),
  ];
}

function actionDifference(base: ModelParts, edited: ModelParts): string[] {
  const codes = (model: ModelParts) => model.nextActions.map(({ action }) => action || '…');
  const [before, after] = [codes(base), codes(edited)];
  const stayed = (list: string[], other: string[]) => list.filter((code) => other.includes(code));
  const changed = edited.nextActions.flatMap((action) => {
    const old = base.nextActions.find((one) => one.action === action.action);
    if (old === undefined || same(old, action)) return [];
    return [
      arrow(`${action.action} for`, whenWords(old), whenWords(action)),
      old.text === action.text ? null : `${action.action} says “${action.text}”`,
    ].filter((part) => part !== null);
  });
  return [
    listed('added', after, before),
    listed('removed', before, after),
    ...changed,
    same(stayed(before, after), stayed(after, before)) ? null : `new order: ${after.join(', ')}`,
  ].filter((part) => part !== null);
}
