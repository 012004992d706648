import { expect, test } from 'vitest';

import { readTrait, writeTrait } from './traits';

test('a trait keeps its kind when it is edited', () => {
  expect(readTrait('42', 7)).toBe(42);
  expect(readTrait('42', 'seven')).toBe('42');
  expect(readTrait('false', true)).toBe(false);
  expect(readTrait('["a"]', ['b'])).toEqual(['a']);
});

test('a new trait is what it looks like', () => {
  expect(readTrait('12', undefined)).toBe(12);
  expect(readTrait('pro', undefined)).toBe('pro');
  expect(readTrait('007', undefined)).toBe('007');
  expect(readTrait('', undefined)).toBe('');
});

test('what can’t be read as before is text, and nothing removes', () => {
  expect(readTrait('a lot', 7)).toBe('a lot');
  expect(readTrait(' ', 7)).toBeNull();
});

test('what is shown is what is typed', () => {
  expect(writeTrait('pro')).toBe('pro');
  expect(writeTrait({ seats: 5 })).toBe('{"seats":5}');
  expect(writeTrait(null)).toBe('');
});
