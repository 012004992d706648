import type { Touch } from '@/api/lead';
import * as format from '@/lib/format';

/** Where somebody came from, in a few words: a campaign, a website, or straight. */
export function sourceOf(touch: Touch): string {
  const { source, medium, campaign } = utmOf(touch);
  if (source !== undefined || campaign !== undefined) {
    const from = source ?? campaign ?? '';
    return medium === undefined ? from : `${from} (${medium})`;
  }
  const host = hostOf(touch.referrer);
  // Who comes from a page of the same website was there before.
  if (host !== null && host !== hostOf(touch.page)) return host;
  return 'Direct';
}

/** The details of a touch that are known, with their names. */
export function touchLines(touch: Touch): { label: string; value: string }[] {
  const utm = utmOf(touch);
  const lines: [string, string | null | undefined][] = [
    ['Event', format.words(touch.eventType)],
    ['Landing page', touch.page],
    ['Referrer', touch.referrer],
    ['Campaign', utm.campaign],
    ['Source', utm.source],
    ['Medium', utm.medium],
    ['Term', utm.term],
    ['Content', utm.content],
  ];
  return lines.flatMap(([label, value]) =>
    value == null || value === '' ? [] : [{ label, value }],
  );
}

function utmOf({ utm }: Touch): Partial<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(utm as Record<string, unknown>).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '',
    ),
  );
}

function hostOf(address: string | null): string | null {
  if (address === null) return null;
  try {
    return new URL(address).hostname.replace(/^www\./, '') || null;
  } catch {
    return null;
  }
}
