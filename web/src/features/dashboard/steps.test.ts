import { expect, test } from 'vitest';

import { queueState } from './queue-state';
import { steps } from './steps';

test('the first steps are done when their facts are there', () => {
  const made = steps({
    firstEventAt: '2026-01-01T00:00:00Z',
    firstLeadAt: '2026-01-01T00:00:00Z',
    firstIdentifiedAt: null,
    firstQualifiedAt: null,
  });
  expect(made.map(({ at }) => at !== null)).toEqual([true, false, false]);
});

test.each([
  [{ workers: 0, failed: 0, waiting: 0, oldestSeconds: 0 }, 'bad'],
  [{ workers: 1, failed: 2, waiting: 0, oldestSeconds: 0 }, 'bad'],
  [{ workers: 1, failed: 0, waiting: 9, oldestSeconds: 60 }, 'busy'],
  [{ workers: 1, failed: 0, waiting: 9, oldestSeconds: 1 }, 'good'],
  [{ workers: 1, failed: 0, waiting: 0, oldestSeconds: 0 }, 'good'],
] as const)('a queue of %o is %s', (queue, how) => {
  expect(queueState(queue).how).toBe(how);
});
