import { maybeText, search } from '@/lib/search';

/** Where to go on after signing in. */
export const entryView = search({ next: maybeText(2_000) });

/** A page of ours, whatever the address says: never another website. */
export function safeNext(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])/.test(next)) return '/dashboard';
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? `${url.pathname}${url.search}${url.hash}` : '/dashboard';
}
