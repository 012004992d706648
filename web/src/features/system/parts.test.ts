import { expect, it } from 'vitest';

import type { Health } from '@/api/health';
import type { SystemHealth } from '@/api/operations';

import { partsOf } from './parts';

const live = { status: 'up' as const, since: 1 };
const health = {
  status: 'ok',
  database: 'up',
  redis: 'none',
  queue: { waiting: 0, oldestSeconds: 0, workers: 2 },
  version: '1.2.3',
} as Health;
const by = (name: string, known: Parameters<typeof partsOf>[0]) =>
  partsOf(known).find((part) => part.name === name);

it('a viewer sees of each part whether it works', () => {
  const parts = partsOf({ health, system: undefined, live, roundTrip: 4 });
  expect(parts.map(({ name, state }) => [name, state])).toEqual([
    ['API', 'up'],
    ['Database', 'up'],
    ['Live', 'up'],
    ['Scorers', 'up'],
  ]);
  expect(parts[0]?.latency).toBe(4);
});

it('what gives no answer is down, and what stands behind it unknown', () => {
  const known = { health: null, system: undefined, live, roundTrip: undefined };
  expect(by('API', known)?.state).toBe('down');
  expect(by('Database', known)?.state).toBe('waiting');
});

it('nobody who scores, or who moves nothing, is down', () => {
  const none = { ...health, queue: { waiting: 3, oldestSeconds: 9, workers: 0 } };
  const known = { system: undefined, live, roundTrip: 1 };
  expect(by('Scorers', { ...known, health: none })?.said).toBe('nobody scores');
  expect(by('Scorers', { ...known, health: { ...health, status: 'degraded' } })?.state).toBe(
    'down',
  );
});

it('Valkey stands there only where the installation has one', () => {
  const known = { health, live, roundTrip: 1 };
  expect(by('Valkey', { ...known, system: undefined })).toBeUndefined();
  const system = {
    api: { version: '1.2.3', startedAt: '2026-01-01T00:00:00Z' },
    database: { version: '17', startedAt: '2026-01-01T00:00:00Z', latencyMs: 0.4 },
    valkey: { state: 'down', latencyMs: null },
    workers: [],
  } as unknown as SystemHealth;
  expect(by('Valkey', { ...known, system })?.state).toBe('down');
  expect(by('Database', { ...known, system })?.latency).toBe(0.4);
});
