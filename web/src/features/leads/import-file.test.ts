import { expect, test } from 'vitest';

import { choicesFor, LARGEST, readFile } from './import-file';

const file = (content: BlobPart, name = 'leads.csv') => new File([content], name);

test('a text is read as it is', async () => {
  expect(await readFile(file('Email\nada@example.com\n'))).toEqual({
    name: 'leads.csv',
    csv: 'Email\nada@example.com\n',
  });
});

test('what is no text in UTF-8, empty or too large is told in words', async () => {
  await expect(readFile(file(''))).rejects.toThrow('leads.csv is empty.');
  await expect(readFile(file(new Uint8Array([80, 75, 0, 4])))).rejects.toThrow('is no text');
  await expect(readFile(file(new Uint8Array([0x4a, 0xf6, 0x72])))).rejects.toThrow('UTF-8');
  await expect(readFile(file(new Uint8Array(LARGEST + 1)))).rejects.toThrow('too large');
});

test('a column is a field, a trait of its name, or left out', () => {
  const values = (header: string, field: string | null) =>
    choicesFor(header, field).map(({ value }) => value);
  expect(values('Plan', 'traits.Plan')).toContain('traits.Plan');
  expect(values('Plan', 'traits.Plan').filter((value) => value.startsWith('traits.'))).toHaveLength(
    1,
  );
  expect(values('E-mail', 'email')).toContain('traits.E-mail');
  expect(values('x', null)).toContain('');
  expect(values('First name', 'firstName')).toContain('firstName');
});
