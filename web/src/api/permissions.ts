/** The table of docs/reference/permissions.md: the least role for each permission. */
export const ROLES = ['viewer', 'member', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

const LEAST = {
  'events.send': 'member',
  'leads.read': 'viewer',
  'leads.write': 'member',
  'leads.remove': 'admin',
  'leads.export': 'member',
  'person.export': 'admin',
  'rules.write': 'admin',
  operate: 'admin',
  'project.read': 'viewer',
  'project.write': 'admin',
  'project.delete': 'owner',
  'members.read': 'viewer',
  'members.write': 'admin',
  'members.invite': 'admin',
  ownership: 'owner',
  'keys.write': 'admin',
  'keys.secret': 'admin',
  identity: 'admin',
  suppressions: 'owner',
  retention: 'owner',
  audit: 'owner',
  'first-steps': 'viewer',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof LEAST;

/** What an account may only do once its address is verified. */
const VERIFIED: ReadonlySet<Permission> = new Set(['members.invite', 'keys.secret']);

export function can(role: Role | null | undefined, permission: Permission): boolean {
  return role != null && ROLES.indexOf(role) >= ROLES.indexOf(LEAST[permission]);
}

/** Why somebody may not, as a sentence; null when he may. */
export function refusal(
  role: Role | null | undefined,
  verified: boolean,
  permission: Permission,
): string | null {
  if (!can(role, permission)) {
    const least = LEAST[permission];
    return `Needs the role ${least}${least === 'owner' ? '' : ' or more'}; you are ${role ?? 'no member'}.`;
  }
  if (!verified && VERIFIED.has(permission)) return 'Verify your email address first.';
  return null;
}
