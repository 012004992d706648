import { type Role, ROLES } from '@/api/permissions';

export const ROLE_SAYS: Record<Role, string> = {
  viewer: 'Sees leads, events, figures and the model.',
  member: 'Also works on leads: owner, status, adjustments, merges, import and export.',
  admin: 'Also rules, keys, members, sample data, failed work, and removing a person.',
  owner: 'Everything: also ownership, retention, the audit log, and deleting the project.',
};

export type Viewer = { id: string; role: Role; owners: number };

/** The roles that somebody may give a member; none: he may not change him. */
export function rolesToGive(viewer: Viewer, member: { id: string; role: Role }): readonly Role[] {
  if (viewer.role === 'owner') {
    // The last owner stays one; he can only hand it over.
    return member.role === 'owner' && viewer.owners === 1 ? [] : ROLES;
  }
  if (viewer.role !== 'admin' || member.role === 'owner') return [];
  return ROLES.filter((role) => role !== 'owner');
}
