import { maybeText, oneOf, search } from '@/lib/search';

export const TABS = ['failed', 'conflicts', 'held'] as const;
export const STATES = ['open', 'discarded', 'replayed'] as const;
export const PERIODS = ['24', '168', '720'] as const;

/** What of the System page stands in its address; `open` is the failed work or call in the drawer. */
export const systemView = search({
  tab: oneOf(TABS, 'failed'),
  state: oneOf(STATES, 'open'),
  hours: oneOf(PERIODS, '24'),
  open: maybeText(64),
});
