import type { Scope } from '@/api/project-keys';

export const SCOPES: readonly { scope: Scope; label: string; hint: string }[] = [
  { scope: 'events:write', label: 'Send events', hint: 'As a trusted caller.' },
  { scope: 'leads:read', label: 'Read', hint: 'Leads, events, figures and the model.' },
  { scope: 'leads:write', label: 'Change leads', hint: 'Profiles, owners, status, imports.' },
  { scope: 'leads:erase', label: 'Erase people', hint: 'For good, as the law demands it.' },
  { scope: 'rules:write', label: 'Change the model', hint: 'Rules, stages, decay.' },
  { scope: 'exports:read', label: 'Export', hint: 'All leads and what is known of a person.' },
  { scope: 'admin', label: 'Operate', hint: 'Dead letters, repairs, keys and settings.' },
];

const DAY = 86_400_000;
export const LIFETIMES = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
] as const;

/** When something ends that lives for so many days; null for ever. */
export function endAfter(days: string, now: number): string | null {
  return days === '' ? null : new Date(now + Number(days) * DAY).toISOString();
}

/** Websites, one a line or with commas between, each once. */
export function originsOf(written: string): string[] {
  const parts = written.split(/[\s,]+/).filter((part) => part !== '');
  return [...new Set(parts.map((part) => part.replace(/\/+$/, '')))];
}

export function scopeLabel(scope: Scope): string {
  return SCOPES.find((one) => one.scope === scope)?.label ?? scope;
}

/** Who made a key, by name; somebody who has left has none. */
export function makerOf(
  createdBy: string | null,
  members: readonly { id: string; name: string; email: string }[],
): string | null {
  if (createdBy === null) return null;
  const [kind, id] = createdBy.split(':', 2);
  const member = members.find((one) => one.id === id);
  if (member !== undefined) return member.name === '' ? member.email : member.name;
  return kind === 'user' ? 'a former member' : null;
}
