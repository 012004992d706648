// Lays a .br and a .gz beside each file of a folder that gets smaller by it, so that serving
// compresses nothing: node scripts/compress.mjs FOLDER
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// What else there is (fonts, pictures) is compressed already.
const TEXT = /\.(css|html|js|json|svg|txt|webmanifest)$/;
// A packet more or less: below this the header costs more than it saves.
const LEAST = 1024;

const pack = {
  br: (body) =>
    brotliCompressSync(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gz: (body) => gzipSync(body, { level: 9 }),
};

const [folder] = process.argv.slice(2);
for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  if (!TEXT.test(path)) continue;
  const body = readFileSync(path);
  if (body.length < LEAST) continue;
  for (const [ending, packed] of Object.entries(pack)) {
    const smaller = packed(body);
    if (smaller.length < body.length) writeFileSync(`${path}.${ending}`, smaller);
  }
}
