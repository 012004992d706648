import type { Decay } from '@/api/model';

/** Below this a score is 0. */
const NOTHING = 0.005;

/** How often decay was taken after so many idle days: "after N days" is more than N days. */
export function steps(decay: Decay, days: number): number {
  if (days <= decay.afterDays) return 0;
  return Math.ceil((days - decay.afterDays) / decay.everyDays);
}

/** What is left of a score after so many days of silence. */
export function left(decay: Decay | null, score: number, days: number): number {
  if (decay === null) return score;
  const rest = score * decay.factor ** steps(decay, days);
  return Math.abs(rest) < NOTHING ? 0 : rest;
}

/** What is left of a score on each day, as a curve. */
export function curve(decay: Decay | null, score: number, days: number): number[] {
  return Array.from({ length: days + 1 }, (_, day) => left(decay, score, day));
}

/** After how many days of silence only this share is left; null if never. */
export function daysUntil(decay: Decay | null, share: number): number | null {
  if (decay === null || !isWhole(decay)) return null;
  const needed = Math.ceil(Math.log(share) / Math.log(decay.factor) - 1e-9);
  return decay.afterDays + (needed - 1) * decay.everyDays;
}

/** Whether it can be drawn: a half typed one can't. */
export function isWhole({ factor, afterDays, everyDays }: Decay): boolean {
  return factor > 0 && factor < 1 && afterDays >= 0 && everyDays > 0;
}
