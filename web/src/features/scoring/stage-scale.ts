/** The part of the line that is shown: to well above where the last stage begins. */
export function topOf(starts: readonly number[], max: number): number {
  const last = Math.max(...starts.filter((one) => Number.isFinite(one)), 1);
  const wanted = last * 1.5;
  const size = 10 ** Math.floor(Math.log10(wanted));
  const round = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size);
  return Math.min(max > 0 ? max : wanted, round.find((step) => step >= wanted) ?? wanted);
}

/** Where a value stands, in percent of the line. */
export function place(value: number, low: number, top: number): number {
  if (top <= low || !Number.isFinite(value)) return 0;
  return Math.min(100, Math.max(0, ((value - low) / (top - low)) * 100));
}

/** Between which whole numbers a stage may begin, so that stages stay strictly rising. */
export function room(
  starts: readonly number[],
  index: number,
  max: number,
): { least: number; most: number } {
  const before = starts[index - 1] ?? 0;
  const after = starts[index + 1];
  const least = Math.floor(before) + 1;
  const most = after === undefined ? Math.floor(max) : Math.ceil(after) - 1;
  return { least, most: Math.max(least, most) };
}

/** What a key does to a handle; null for keys that mean nothing here. */
export function keyStep(
  key: string,
  value: number,
  { least, most }: { least: number; most: number },
): number | null {
  const next = {
    ArrowRight: value + 1,
    ArrowUp: value + 1,
    ArrowLeft: value - 1,
    ArrowDown: value - 1,
    PageUp: value + 10,
    PageDown: value - 10,
    Home: least,
    End: most,
  }[key];
  return next === undefined ? null : Math.min(most, Math.max(least, next));
}
