import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');

function tokens(selector: string): Record<string, string> {
  const block = css.split(selector)[1]?.split('}')[0] ?? '';
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((found) => [found[1], found[2]]),
  ) as Record<string, string>;
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['page', 'surface', 'subtle', 'hover'];
const READ = [
  ...['ink', 'muted', 'faint', 'accent-text', 'danger-text', 'good-text', 'warn-text'].flatMap(
    (text) => GROUNDS.map((ground) => [text, ground]),
  ),
  ...['cold', 'warm', 'hot', 'qualified', 'good', 'warn', 'danger', 'accent'].map((name) => [
    `${name}-text`,
    `${name}-soft`,
  ]),
  ['accent-ink', 'accent'],
  ['accent-ink', 'accent-hover'],
  ['accent-ink', 'danger'],
  ['accent-ink', 'danger-hover'],
] as [string, string][];

describe.each([
  ['light', ':root'],
  ['dark', "[data-theme='dark']"],
])('%s', (_, selector) => {
  const of = tokens(selector);
  it.each(READ)('%s can be read on %s', (text, ground) => {
    expect(contrast(of[text] ?? '', of[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });
  it.each(['control', 'ring'])('the outline %s is seen on every ground', (line) => {
    for (const ground of ['page', 'surface', 'subtle']) {
      expect(contrast(of[line] ?? '', of[ground] ?? '')).toBeGreaterThanOrEqual(3);
    }
  });
});
