import { maybeText, oneOf, search } from '@/lib/search';

export const BY = ['email', 'userId', 'leadId'] as const;

/** What of Settings stands in the address beside its section. */
export const settingsView = search({
  /** The audit log: by whom, what, from and to which day. */
  actor: maybeText(100),
  action: maybeText(100),
  from: maybeText(10),
  to: maybeText(10),
  /** Suppressions: of whom. */
  by: oneOf(BY, 'email'),
  name: maybeText(510),
});
