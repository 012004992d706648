type Named = { name?: string | null; email?: string | null; userId?: string | null; id?: string };

/** What a person is called where there is room for one line. */
export function displayName(person: Named & { anonymousId?: string | null }): string {
  if (person.name) return person.name;
  if (person.email) return person.email;
  if (person.userId) return person.userId;
  return person.anonymousId ? `Anonymous ${person.anonymousId.slice(0, 8)}` : 'Anonymous';
}

/** One or two letters; null for somebody without a name. */
export function initials(person: Named): string | null {
  const source = person.name ?? person.email?.split('@')[0]?.replace(/[._+-]+/g, ' ');
  const parts = (source ?? '').split(/\s+/).filter((part) => /^\p{L}/u.test(part));
  const [first] = parts;
  if (first === undefined) return null;
  const last = parts.length > 1 ? parts[parts.length - 1] : undefined;
  return `${letter(first)}${last === undefined ? '' : letter(last)}`.toUpperCase();
}

// A whole one: some letters are two units long.
function letter(word: string): string {
  return String.fromCodePoint(word.codePointAt(0) ?? 32);
}

/** The same hue for the same person, everywhere. */
export function hue(key: string): number {
  let sum = 7;
  for (const letter of key) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return (sum * 47) % 360;
}
