import { maybeNumber, maybeText, oneOf, search, text } from '@/lib/search';

export const TABS = ['rules', 'stages', 'decay', 'velocity', 'actions', 'versions'] as const;
export type Tab = (typeof TABS)[number];
export const TAB_NAMES: Record<Tab, string> = {
  rules: 'Rules',
  stages: 'Stages',
  decay: 'Decay',
  velocity: 'Velocity & risk',
  actions: 'Next actions',
  versions: 'Versions',
};

/** What of the scoring page stands in its address. */
export const scoringView = search({
  tab: oneOf(TABS, 'rules'),
  q: text(),
  sort: oneOf(['name', 'event', 'points', 'hits', 'gave'], 'name'),
  order: oneOf(['asc', 'desc'], 'asc'),
  /** The rule whose drawer is open. */
  rule: maybeText(64),
  /** The version that is looked at. */
  version: maybeNumber(),
});
