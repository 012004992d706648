// Fails when src/api/schema.d.ts is not what contract/openapi.json says: `npm run gen` mends it.
import { readFileSync } from 'node:fs';

import openapiTS, { astToString } from 'openapi-typescript';

const contract = new URL('../../contract/openapi.json', import.meta.url);
const stored = new URL('../src/api/schema.d.ts', import.meta.url);
const same = (text) => text.replace(/\/\*\*[\s\S]*?\*\//g, '').replace(/[\s;,|"']+/g, '');

const wanted = astToString(await openapiTS(contract, { defaultNonNullable: false }));
if (same(wanted) !== same(readFileSync(stored, 'utf8'))) {
  console.error('src/api/schema.d.ts does not match contract/openapi.json: run `npm run gen`.');
  process.exit(1);
}
