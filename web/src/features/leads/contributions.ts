import type { Explanation } from '@/api/lead';
import * as format from '@/lib/format';

export type Contribution = {
  key: string;
  label: string;
  /** What is behind it, in words. */
  detail: string;
  /** What caps took, in words; null: nothing. */
  caps: string | null;
  points: number;
  kind: 'rule' | 'adjustment' | 'decay' | 'bounds';
  eventType?: string;
};

const CAPS = {
  maxPerDay: (times: number) => `over its limit of events a day ${often(times)}`,
  maxPointsPerDay: (times: number) => `over its limit of points a day ${often(times)}`,
  once: (times: number) => `counts once, came ${format.count(times, 'more time')}`,
} as const;

function often(times: number): string {
  return times === 1 ? 'once' : format.count(times, 'time');
}

/** The parts that a score is the sum of: rules as they come, then what was done to their sum. */
export function contributions(explanation: Explanation): Contribution[] {
  const { rules, adjustments, decay, bounds } = explanation;
  const parts: Contribution[] = rules.map((rule) => ({
    key: rule.id,
    label: rule.name,
    detail: format.count(rule.hits, 'event'),
    caps: capWords(rule),
    points: rule.points,
    kind: 'rule',
    eventType: rule.eventType,
  }));
  if (adjustments.count > 0) {
    parts.push({
      key: 'adjustments',
      label: 'Adjusted by hand',
      detail: format.count(adjustments.count, 'correction'),
      caps: null,
      points: adjustments.points,
      kind: 'adjustment',
    });
  }
  if (decay.steps > 0) {
    parts.push({
      key: 'decay',
      label: 'Decay by silence',
      detail: format.count(decay.steps, 'step'),
      caps: null,
      points: decay.points,
      kind: 'decay',
    });
  }
  if (Math.abs(bounds.points) >= 0.005) {
    parts.push({
      key: 'bounds',
      label: bounds.points < 0 ? 'Cut at the highest score' : 'Held at the lowest score',
      detail: 'Bounds of the model',
      caps: null,
      points: bounds.points,
      kind: 'bounds',
    });
  }
  return parts;
}

function capWords({ cut, caps }: Explanation['rules'][number]): string | null {
  if (caps.length === 0) return null;
  const why = caps.map(({ cap, times }) => CAPS[cap](times)).join(', ');
  return `${format.points(cut)} points not given: ${why}`;
}

export type Bar = { left: number; width: number };

/** Where bars stand on one line, in percent: those below nothing to the left of it. */
export function bars(points: readonly number[]): { zero: number; bars: Bar[] } {
  const low = Math.min(0, ...points);
  const high = Math.max(0, ...points);
  const span = high - low || 1;
  const zero = (Math.abs(low) / span) * 100;
  return {
    zero,
    bars: points.map((value) => ({
      left: value < 0 ? zero + (value / span) * 100 : zero,
      width: (Math.abs(value) / span) * 100,
    })),
  };
}

/** What decay does next, as a sentence; null when nothing changes by itself. */
export function nextWords(explanation: Explanation, now: number): string | null {
  const { next, score } = explanation;
  if (next === null) return null;
  const when = format.relativeTime(next.at, now);
  const falls = `Falls from ${format.points(score)} to ${format.points(next.score)} ${when} if nothing happens`;
  return next.stageChanges ? `${falls}, and becomes ${next.stage}.` : `${falls}.`;
}
