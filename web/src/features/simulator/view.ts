import { flag, maybeText, oneOf, search, text } from '@/lib/search';

export const TABS = ['event', 'journey'] as const;
export const WHOM = ['email', 'lead', 'anonymous'] as const;
export type Whom = (typeof WHOM)[number];

/** What of the simulator stands in its address: what will be sent, and the event that was. */
export const simulatorView = search({
  tab: oneOf(TABS, 'event'),
  type: text('', 128),
  whom: oneOf(WHOM, 'email'),
  email: text('', 255),
  lead: maybeText(64),
  test: flag(),
  event: maybeText(64),
});
