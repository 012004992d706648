/** In bytes; the server takes no larger request, and JSON makes a file longer. */
export const LARGEST = 4.5 * 1024 * 1024;

/** The text of a file, or an error in words that say what is wrong with it. */
export async function readFile(file: File): Promise<{ name: string; csv: string }> {
  if (file.size === 0) throw new Error(`${file.name} is empty.`);
  if (file.size > LARGEST) {
    throw new Error(`${file.name} is too large. Divide it into files of less than 4.5 MB.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.includes(0)) {
    throw new Error(`${file.name} is no text. Save the table as CSV (UTF-8), then choose that.`);
  }
  try {
    const csv = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { name: file.name.slice(0, 200), csv };
  } catch {
    throw new Error(`${file.name} is not in UTF-8. Save it as CSV (UTF-8), then choose it again.`);
  }
}

const FIELDS: { value: string; label: string }[] = [
  { value: '', label: 'Leave it out' },
  { value: 'email', label: 'Email' },
  { value: 'userId', label: 'User id' },
  { value: 'name', label: 'Name' },
  { value: 'company', label: 'Company' },
  { value: 'owner', label: 'Owner' },
  { value: 'status', label: 'Status' },
  { value: 'traits', label: 'Traits, as JSON' },
];

/** What a column can be taken for: a field, or a trait of its name. */
export function choicesFor(header: string, field: string | null) {
  const traits = new Set([`traits.${header.replace(/^traits\./, '').trim()}`]);
  // As the server names it, which may write the header in another way.
  if (field?.startsWith('traits.')) traits.add(field);
  return [
    ...FIELDS,
    ...[...traits].map((value) => ({ value, label: `Trait “${value.slice('traits.'.length)}”` })),
    ...(field !== null &&
    field !== '' &&
    !FIELDS.some(({ value }) => value === field) &&
    !traits.has(field)
      ? [{ value: field, label: field }]
      : []),
  ];
}
