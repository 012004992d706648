import { expect, it } from 'vitest';

import { actionWords, auditFile, auditFilter } from './audit-filter';
import { device } from './device';
import { rolesToGive } from './roles';
import { zones } from './zones';

it('a browser and a system are recognised by what they call themselves', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36';
  expect(device(chrome)).toEqual({ name: 'Chrome on Linux', phone: false });
  const iphone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Mobile/15E Safari/604.1';
  expect(device(iphone)).toEqual({ name: 'Safari on iPhone', phone: true });
  expect(device(`${chrome} Edg/120.0`).name).toBe('Edge on Linux');
  expect(device('python-httpx/0.28').name).toBe('python-httpx/0.28');
  expect(device(null).name).toBe('Unknown program');
});

it('an admin gives roles below owner, an owner every one, the last owner keeps his', () => {
  const member = { id: 'm', role: 'member' as const };
  const owner = { id: 'o', role: 'owner' as const };
  expect(rolesToGive({ id: 'a', role: 'admin', owners: 1 }, member)).not.toContain('owner');
  expect(rolesToGive({ id: 'a', role: 'admin', owners: 1 }, owner)).toEqual([]);
  expect(rolesToGive({ id: 'o', role: 'owner', owners: 1 }, member)).toContain('owner');
  expect(rolesToGive({ id: 'o', role: 'owner', owners: 1 }, owner)).toEqual([]);
  expect(rolesToGive({ id: 'o', role: 'owner', owners: 2 }, owner)).toContain('admin');
  expect(rolesToGive({ id: 'v', role: 'viewer', owners: 1 }, member)).toEqual([]);
});

it('days of the audit log are whole ones, the last included', () => {
  const none = { actor: undefined, action: undefined, from: undefined, to: undefined };
  expect(auditFilter(none)).toEqual({});
  const filter = auditFilter({ ...none, action: 'key', from: '2026-05-01', to: '2026-05-01' });
  const hours = (Date.parse(filter.to ?? '') - Date.parse(filter.from ?? '')) / 3_600_000;
  expect(hours).toBe(24);
  expect(auditFilter({ ...none, from: 'yesterday' })).toEqual({});
  expect(auditFile('p1', { action: 'key' }, 'csv')).toBe(
    '/api/projects/p1/audit-log?action=key&format=csv',
  );
});

it('what was done reads as words', () => {
  expect(actionWords('project.identity_changed')).toBe('Project: identity changed');
  expect(actionWords('sample_data')).toBe('Sample data');
});

it('the zone that is set can be chosen though the browser does not know it', () => {
  const listed = zones('Moon/Base');
  expect(listed[0]).toBe('UTC');
  expect(listed).toContain('Moon/Base');
  expect(new Set(listed).size).toBe(listed.length);
});
