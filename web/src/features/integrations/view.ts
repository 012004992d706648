import { oneOf, search } from '@/lib/search';

export const TABS = ['install', 'keys', 'identity'] as const;
export const LANGUAGES = ['browser', 'python', 'node', 'curl'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What of the integrations stands in their address. */
export const integrationsView = search({
  tab: oneOf(TABS, 'install'),
  code: oneOf(LANGUAGES, 'browser'),
});
