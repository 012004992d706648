/** The time zones of this browser, and the one that is set. */
export function zones(set: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return [...new Set(['UTC', set, ...known])].sort((a, b) =>
    a === 'UTC' ? -1 : b === 'UTC' ? 1 : a.localeCompare(b),
  );
}
