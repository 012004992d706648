import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { can, type Permission, refusal, ROLES } from './permissions';

const NAMES: Record<string, Permission | undefined> = {
  'Send events as a trusted caller': 'events.send',
  'Read leads, events, figures, rules and the model': 'leads.read',
  'Change, adjust, merge and import leads': 'leads.write',
  'Remove or erase a person': 'leads.remove',
  'Export everything about a person': 'person.export',
  'Export leads': 'leads.export',
  'Change rules and the model, rescore': 'rules.write',
  'Rebuild, verify, retry failed work, see queue and conflicts': 'operate',
  'See the project’s settings': 'project.read',
  'Change the project’s settings, pause it': 'project.write',
  'Delete the project, and undo that': 'project.delete',
  'See who is a member': 'members.read',
  'Change roles below owner, remove members': 'members.write',
  'Invite people': 'members.invite',
  'Make somebody an owner, or an owner something else': 'ownership',
  'Make, change and revoke write keys': 'keys.write',
  'Make, change and revoke secret keys': 'keys.secret',
  'See the identity secret, demand signed identities': 'identity',
  'See and lift suppressions of erased people': 'suppressions',
  'Set how long events keep their content': 'retention',
  'Read and export the audit log': 'audit',
  'Put the first steps away, for oneself': 'first-steps',
};
const page = readFileSync('../docs/reference/permissions.md', 'utf8');
const rows = page
  .split('\n## Scopes')[0]
  ?.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| permission'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll("'", '’')));

it.each(rows ?? [])('%s%s is offered to whom the server allows it', (_, text = '', ...ticks) => {
  const permission = NAMES[text];
  if (permission === undefined) throw new Error(`The permission “${text}” is not known here.`);
  expect(ROLES.map((role) => can(role, permission))).toEqual(
    ticks.slice(0, 4).map((tick) => tick === '✓'),
  );
});

it('who may not is told why', () => {
  expect(refusal('member', true, 'rules.write')).toBe(
    'Needs the role admin or more; you are member.',
  );
  expect(refusal('admin', false, 'members.invite')).toBe('Verify your email address first.');
  expect(refusal('admin', true, 'members.invite')).toBeNull();
  expect(can(null, 'leads.read')).toBe(false);
});
