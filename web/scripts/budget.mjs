// Fails when the first load has grown beyond its budget: what every page needs before its own part.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 250 * 1024;
const out = new URL('../../src/leadpulse/http/web/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('assets/manifest.json', out), 'utf8'));

const reached = new Set();
function reach(key) {
  if (reached.has(key)) return;
  reached.add(key);
  for (const next of manifest[key].imports ?? []) reach(next);
}
reach('index.html');
const files = [...reached].map((key) => manifest[key].file).filter((file) => file.endsWith('.js'));
const sizes = files.map((file) => gzipSync(readFileSync(new URL(file, out))).length);
const total = sizes.reduce((sum, size) => sum + size, 0);
const kilo = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

console.log(`First load: ${kilo(total)} of ${kilo(BUDGET)} compressed script`);
if (total > BUDGET) {
  files.forEach((file, index) => console.error(`  ${kilo(sizes[index])}  ${file}`));
  console.error('The first load is too large: make a part lazy, or leave a library out.');
  process.exit(1);
}
