const locale = typeof navigator === 'undefined' ? 'en' : navigator.language;

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(locale, {
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
});
const signedPercentage = new Intl.NumberFormat(locale, {
  style: 'percent',
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
});
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const dayTick = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const monthTick = new Intl.DateTimeFormat(locale, { month: 'short', year: 'numeric' });
const hourTick = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

/** What stands where there is no value. */
export const NONE = '–';

type Maybe = number | null | undefined;

/** 1,234,567 */
export function number(value: Maybe): string {
  return value == null ? NONE : whole.format(value);
}

/** 1.2M, where there is no room for more */
export function short(value: Maybe): string {
  return value == null ? NONE : compact.format(value);
}

/** A score: one digit behind the point at most. */
export function points(value: Maybe): string {
  return value == null ? NONE : tenth.format(clean(value));
}

/** A change of a score, with its sign: +12.5, −5 */
export function delta(value: Maybe): string {
  return value == null ? NONE : minus(signed.format(clean(value)));
}

/** A share of 1: 12.5% */
export function percent(share: Maybe): string {
  return share == null ? NONE : percentage.format(share);
}

/** How much has changed since before, as a share of it; null where that says nothing. */
export function change(now: Maybe, before: Maybe): number | null {
  if (now == null || before == null || before === 0) return null;
  return (now - before) / Math.abs(before);
}

/** +12.5%, −3% */
export function signedPercent(share: Maybe): string {
  return share == null ? NONE : minus(signedPercentage.format(share));
}

/** A duration in milliseconds with the unit that fits: 340 µs, 12 ms, 3.4 s, 5 min, 2 h, 3 d */
export function duration(milliseconds: Maybe): string {
  if (milliseconds == null) return NONE;
  const size = Math.abs(milliseconds);
  if (size > 0 && size < 1) return `${whole.format(milliseconds * 1000)} µs`;
  if (size < 1000)
    return `${size < 10 ? tenth.format(milliseconds) : whole.format(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (size < 60_000) return `${tenth.format(seconds)} s`;
  if (size < 3_600_000) return `${whole.format(seconds / 60)} min`;
  if (size < 172_800_000) return `${tenth.format(seconds / 3600)} h`;
  return `${tenth.format(seconds / 86_400)} d`;
}

/** 12 KB, in steps of 1024 */
export function bytes(size: Maybe): string {
  if (size == null) return NONE;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let step = 0;
  let left = size;
  while (left >= 1024 && step < units.length - 1) {
    left /= 1024;
    step += 1;
  }
  return `${tenth.format(left)} ${units[step] ?? ''}`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** 3 min. ago, in 2 hr., just now */
export function relativeTime(at: string | number | Date, now: number): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? 'just now' : relative.format(Math.trunc(seconds), 'second');
}

/** The exact time, for a title. */
export function exactTime(at: string | number | Date): string {
  return exact.format(new Date(at));
}

/** A calendar day. */
export function date(at: string | number | Date): string {
  return day.format(new Date(at));
}

/** The time of the day. */
export function time(at: string | number | Date): string {
  return clock.format(new Date(at));
}

/** A moment at the axis of a chart, whose marks are so many milliseconds apart. */
export function tick(at: number, step: number): string {
  if (step >= 28 * 86_400_000) return monthTick.format(at);
  return (step >= 86_400_000 ? dayTick : hourTick).format(at);
}

/** "1 lead", "2,000 leads" */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

/** "page_viewed" → "Page viewed" */
export function words(name: string): string {
  if (name === '$adjustment') return 'Adjusted by hand';
  const spaced = name.replace(/[_-]+/g, ' ').trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** With a sign as wide as a plus, and no hyphen at which a line may break. */
export function minus(text: string): string {
  return text.replace('-', '−');
}

// -0 and what a sum of doubles leaves behind.
function clean(value: number): number {
  return Math.abs(value) < 0.05 ? 0 : value;
}
