export type Kind = 'text' | 'number' | 'yes-no' | 'list' | 'empty';
export const KINDS: Record<Kind, string> = {
  text: 'Text',
  number: 'Number',
  'yes-no': 'Yes or no',
  list: 'List',
  empty: 'Empty',
};

/** Of which kind a condition's value is. */
export function kindOf(value: unknown): Kind {
  if (typeof value === 'boolean') return 'yes-no';
  if (typeof value === 'number') return 'number';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : 'empty';
}

/** Kinds of values with which a comparison can ever hold. */
export function kindsFor(op: string): readonly Kind[] {
  switch (op) {
    case 'contains':
    case 'startsWith':
      return ['text'];
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return ['number', 'text'];
    case 'in':
      return ['list'];
    case 'exists':
      return ['yes-no'];
    default:
      return ['text', 'number', 'yes-no', 'empty'];
  }
}

/** A value of a kind to begin with: the old one where it can be read so. */
export function kindValue(kind: Kind, old: unknown): unknown {
  switch (kind) {
    case 'text':
      return typeof old === 'number' || typeof old === 'string' ? String(old) : '';
    case 'number': {
      const number = typeof old === 'string' && old.trim() !== '' ? Number(old) : Number.NaN;
      return Number.isNaN(number) ? 0 : number;
    }
    case 'yes-no':
      return true;
    case 'list':
      return typeof old === 'string' || typeof old === 'number'
        ? [old].filter((v) => v !== '')
        : [];
    case 'empty':
      return null;
  }
}

/** pro, "5", 5, true → the values of a list, each of its kind. */
export function listOf(text: string): (string | number | boolean)[] {
  const found: (string | number | boolean)[] = [];
  for (const [, quoted, plain = ''] of text.matchAll(
    /\s*(?:"([^"]*)"\s*(?:,|$)|([^,]+)(?:,|$))/g,
  )) {
    if (quoted !== undefined) {
      found.push(quoted);
      continue;
    }
    const word = plain.trim();
    if (word === '') continue;
    if (word === 'true' || word === 'false') found.push(word === 'true');
    else found.push(Number.isFinite(Number(word)) ? Number(word) : word);
  }
  return found;
}

/** The opposite. */
export function listText(value: unknown): string {
  if (!Array.isArray(value)) return '';
  return value
    .map((one: unknown) => {
      if (typeof one !== 'string') return String(one);
      const [read] = listOf(one);
      return read === one && !one.includes(',') ? one : `"${one}"`;
    })
    .join(', ');
}
