import { expect, test } from 'vitest';

import type { Touch } from '@/api/lead';

import { sourceOf, touchLines } from './touch';

const touch = (changes: Partial<Touch> = {}): Touch => ({
  at: '2026-03-01T00:00:00Z',
  eventType: 'page_view',
  page: 'https://example.com/pricing',
  referrer: null,
  utm: {},
  ...changes,
});

test('a campaign says most about where somebody came from', () => {
  expect(
    sourceOf(touch({ utm: { source: 'google', medium: 'cpc' }, referrer: 'https://bing.com' })),
  ).toBe('google (cpc)');
  expect(sourceOf(touch({ utm: { campaign: 'spring' } }))).toBe('spring');
});

test('else the website that sent them', () => {
  expect(sourceOf(touch({ referrer: 'https://www.news.example/a?b=c' }))).toBe('news.example');
});

test('one’s own website, or nothing that can be read, is a direct visit', () => {
  expect(sourceOf(touch({ referrer: 'https://example.com/blog' }))).toBe('Direct');
  expect(sourceOf(touch({ referrer: 'not an address' }))).toBe('Direct');
  expect(sourceOf(touch())).toBe('Direct');
});

test('only what is known is told', () => {
  expect(touchLines(touch({ utm: { term: 'lead scoring', content: '' } }))).toEqual([
    { label: 'Event', value: 'Page view' },
    { label: 'Landing page', value: 'https://example.com/pricing' },
    { label: 'Term', value: 'lead scoring' },
  ]);
});
