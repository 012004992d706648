import {
  Building2,
  KeyRound,
  type LucideIcon,
  Mail,
  MonitorSmartphone,
  Palette,
  ScrollText,
  ShieldCheck,
  UserRound,
  Users,
} from 'lucide-react';

export const SECTIONS = [
  'project',
  'members',
  'invitations',
  'privacy',
  'audit',
  'profile',
  'password',
  'sessions',
  'appearance',
] as const;
export type Section = (typeof SECTIONS)[number];

type Entry = { label: string; icon: LucideIcon; group: 'Project' | 'Your account' };

export const SECTION: Record<Section, Entry> = {
  project: { label: 'Project', icon: Building2, group: 'Project' },
  members: { label: 'Members', icon: Users, group: 'Project' },
  invitations: { label: 'Invitations', icon: Mail, group: 'Project' },
  privacy: { label: 'Privacy & data', icon: ShieldCheck, group: 'Project' },
  audit: { label: 'Audit log', icon: ScrollText, group: 'Project' },
  profile: { label: 'Profile', icon: UserRound, group: 'Your account' },
  password: { label: 'Password', icon: KeyRound, group: 'Your account' },
  sessions: { label: 'Sessions', icon: MonitorSmartphone, group: 'Your account' },
  appearance: { label: 'Appearance', icon: Palette, group: 'Your account' },
};

export function isSection(name: string): name is Section {
  return (SECTIONS as readonly string[]).includes(name);
}
