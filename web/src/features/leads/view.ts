import { STAGES } from '@/api/leads';
import type { LeadQuestion } from '@/api/lead';
import {
  flag,
  maybeNumber,
  maybeOneOf,
  maybeText,
  oneOf,
  search,
  text,
  type Param,
} from '@/lib/search';

export const STATUSES = ['open', 'working', 'won', 'lost', 'disqualified'] as const;
export const RISKS = ['low', 'medium', 'high'] as const;
export const SORTS = ['score', 'lastEventAt', 'createdAt', 'name'] as const;
export const SEEN = ['24h', '7d', '30d', '90d'] as const;
export const TABS = ['overview', 'activity', 'profile', 'history'] as const;
export type Tab = (typeof TABS)[number];

/** An instant; anything else is none. */
function maybeInstant(): Param<string | undefined> {
  return {
    fallback: undefined,
    read: (raw) => {
      if (typeof raw !== 'string') return undefined;
      const at = new Date(raw);
      return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
    },
  };
}

/** What of the list, and of the lead beside it, stands in the address. */
export const leadsView = search({
  view: oneOf(['all', 'call'], 'all'),
  q: text('', 200),
  stage: maybeOneOf(STAGES),
  status: maybeOneOf(STATUSES),
  /** "me", or a member's id. */
  owner: maybeText(200),
  min: maybeNumber(),
  max: maybeNumber(),
  risk: maybeOneOf(RISKS),
  seen: maybeOneOf(SEEN),
  test: flag(),
  sort: oneOf(SORTS, 'score'),
  order: maybeOneOf(['asc', 'desc']),
  lead: maybeText(100),
  tab: oneOf(TABS, 'overview'),
  at: maybeInstant(),
});
export type LeadsView = typeof leadsView.defaults;

/** The page of one lead: at which instant its score is explained. */
export const leadView = search({ at: maybeInstant() });

export const importView = search({ import: maybeText(100) });

export const HOUR = 3_600_000;
const BACK: Record<(typeof SEEN)[number], number> = {
  '24h': 24 * HOUR,
  '7d': 7 * 24 * HOUR,
  '30d': 30 * 24 * HOUR,
  '90d': 90 * 24 * HOUR,
};

/** The way that a column is sorted by first. */
export function orderOf(view: Pick<LeadsView, 'sort' | 'order'>): 'asc' | 'desc' {
  return view.order ?? (view.sort === 'name' ? 'asc' : 'desc');
}

/** What an address asks the server for. */
export function questionOf(view: LeadsView, myId: string, now: number): LeadQuestion {
  const { stage, status, min, max, risk } = view;
  const q = view.q.trim();
  return {
    ...(q !== '' && { q }),
    ...(stage !== undefined && { stage }),
    ...(status !== undefined && { status }),
    ...(view.owner !== undefined && { owner: view.owner === 'me' ? myId : view.owner }),
    ...(min !== undefined && { minScore: min }),
    ...(max !== undefined && { maxScore: max }),
    ...(risk !== undefined && { risk }),
    ...(view.seen !== undefined && {
      seenAfter: new Date(now - BACK[view.seen]).toISOString(),
    }),
    ...(view.test && { test: true }),
    ...(view.view === 'call'
      ? { sort: 'urgency' as const }
      : { sort: view.sort, order: orderOf(view) }),
  };
}

const FILTERS = ['q', 'stage', 'status', 'owner', 'min', 'max', 'risk', 'seen', 'test'] as const;

/** An address without its filters. */
export const CLEARED = Object.fromEntries(
  FILTERS.map((name) => [name, leadsView.defaults[name]]),
) as Pick<LeadsView, (typeof FILTERS)[number]>;

/** How many filters an address has. */
export function filtersIn(view: LeadsView): number {
  return FILTERS.filter((name) => view[name] !== leadsView.defaults[name]).length;
}

/** Where the same leads are to be had as CSV; how they are sorted is the file's own. */
export function exportAddress(question: LeadQuestion, warmFrom: number): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(question)) {
    if (name !== 'sort' && name !== 'order') asked.set(name, String(value));
  }
  // Whom to call is what these filters say in other words.
  if (question.sort === 'urgency') {
    if (!asked.has('status')) asked.set('status', 'open');
    if (!asked.has('minScore') && !asked.has('stage')) asked.set('minScore', String(warmFrom));
  }
  const query = asked.toString();
  return `/api/leads/export${query === '' ? '' : `?${query}`}`;
}
