/** A trait as one edits it: text as it is, all else as JSON. */
export function writeTrait(value: unknown): string {
  if (typeof value === 'string') return value;
  return value == null ? '' : JSON.stringify(value);
}

/**
 * What was typed, in the kind that the trait had: a number stays one, and a text that looks like
 * one stays text. A new trait is what it looks like.
 */
export function readTrait(text: string, before: unknown): unknown {
  if (typeof before === 'string') return text;
  const typed = text.trim();
  if (typed === '') return before === undefined ? '' : null;
  const kinds = ['number', 'boolean', 'object', 'undefined'];
  if (!kinds.includes(typeof before)) return text;
  if (before === undefined && /^0\d/.test(typed)) return text;
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    return text;
  }
}
