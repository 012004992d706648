import { oneOf, search } from '@/lib/search';

export const PERIODS = {
  day: { label: '24 hours', hours: 24, by: 'hour' },
  week: { label: '7 days', hours: 168, by: 'hour' },
  month: { label: '30 days', hours: 720, by: 'day' },
} as const;
export type Period = keyof typeof PERIODS;
export const PERIOD_NAMES = Object.keys(PERIODS) as Period[];

/** What of the dashboard stands in its address. */
export const dashboardView = search({ period: oneOf(PERIOD_NAMES, 'day') });
