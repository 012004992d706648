import type { Condition, Decay, ModelParts, NextAction, Rule } from '@/api/model';
import { minus } from '@/lib/format';

const exact = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });

/** A number of a model as it is, never shortened; words for none. */
export function figure(value: number | null | undefined): string {
  return value == null || Number.isNaN(value) ? 'nothing' : exact.format(value);
}

/** +5, −20 */
export function pointsWords(points: number): string {
  if (Number.isNaN(points)) return 'no points';
  return points > 0 ? `+${figure(points)}` : minus(figure(points));
}

export const OPERATORS: { value: string; label: string }[] = [
  { value: 'eq', label: 'is' },
  { value: 'ne', label: 'is not' },
  { value: 'contains', label: 'contains' },
  { value: 'startsWith', label: 'begins with' },
  { value: 'gt', label: 'is above' },
  { value: 'gte', label: 'is at least' },
  { value: 'lt', label: 'is below' },
  { value: 'lte', label: 'is at most' },
  { value: 'in', label: 'is one of' },
  { value: 'exists', label: 'is there' },
];

function valueWords(value: unknown): string {
  if (typeof value === 'string') return `“${value}”`;
  if (typeof value === 'number') return figure(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(valueWords).join(', ') || 'nothing';
  return 'empty';
}

/** page path contains “pricing” */
export function conditionWords({ field, op, value }: Condition): string {
  const what = field === '$path' ? 'page path' : field || '…';
  if (op === 'exists') return `${what} ${value === false ? 'is missing' : 'is there'}`;
  const label = OPERATORS.find((one) => one.value === op)?.label ?? op;
  return `${what} ${label} ${valueWords(value)}`;
}

export function conditionsWords(conditions: readonly Condition[]): string {
  return conditions.map(conditionWords).join(' and ');
}

/** at most 3 times and 15 points a day, once per lead */
export function capsWords(rule: Pick<Rule, 'maxPerDay' | 'maxPointsPerDay' | 'once'>): string {
  const daily = [
    rule.maxPerDay === null
      ? null
      : `${figure(rule.maxPerDay)} ${rule.maxPerDay === 1 ? 'time' : 'times'}`,
    rule.maxPointsPerDay === null ? null : `${figure(rule.maxPointsPerDay)} points`,
  ].filter((part) => part !== null);
  const day = daily.length === 0 ? null : `${daily.join(' and ')} a day`;
  return [day, rule.once ? 'once per lead' : null].filter((part) => part !== null).join(', ');
}

export function daysWords(days: number): string {
  return `${figure(days)} ${days === 1 ? 'day' : 'days'}`;
}

/** × 0.95 after 7 days of silence, and again every day */
export function decayWords(decay: Decay | null): string {
  if (decay === null) return 'off';
  const every = decay.everyDays === 1 ? 'day' : daysWords(decay.everyDays);
  return `× ${figure(decay.factor)} after ${daysWords(decay.afterDays)} of silence, and again every ${every}`;
}

function listWords(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}

/** hot or qualified, low risk, velocity 3 or more */
export function whenWords(action: NextAction): string {
  const found = [
    action.stages.length === 0 ? null : listWords(action.stages),
    action.risks.length === 0 ? null : `${listWords(action.risks)} risk`,
    action.minVelocity === null ? null : `velocity ${figure(action.minVelocity)} or more`,
  ].filter((part) => part !== null);
  return found.length === 0 ? 'any lead' : found.join(', ');
}

export function ruleName(rule: Pick<Rule, 'name' | 'eventType'>): string {
  return rule.name || rule.eventType || 'New rule';
}

/** Of what leads' scores are made, for a version that is only looked at. */
export function modelWords(model: ModelParts): [string, string][] {
  const [, warm, hot, qualified] = model.stages.map(({ from }) => figure(from));
  return [
    ['Stages', `warm from ${warm}, hot from ${hot}, qualified from ${qualified}`],
    ['Score', `${figure(model.bounds.min)} to ${figure(model.bounds.max)}`],
    ['Decay', decayWords(model.decay)],
    ['Velocity', `acts in 24 h × ${figure(model.velocity.factor)}`],
    [
      'Risk',
      `medium after ${daysWords(model.risk.mediumDays)}, high after ${daysWords(model.risk.highDays)}`,
    ],
    ['Next actions', model.nextActions.map(({ action }) => action).join(', ') || 'none'],
    ['No activity', model.notActivity.join(', ') || 'none'],
  ];
}
