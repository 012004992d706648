import {
  Activity,
  Cable,
  ChartColumn,
  FlaskConical,
  type LucideIcon,
  Server,
  Settings,
  SlidersHorizontal,
  Trophy,
  Users,
} from 'lucide-react';

export type NavItem = { to: string; label: string; icon: LucideIcon };
export type NavGroup = { label: string | null; items: NavItem[] };

/** Every place of the sidebar, in its order. One without a route is not shown. */
export const NAV: NavGroup[] = [
  {
    label: 'Monitor',
    items: [
      { to: '/dashboard', label: 'Dashboard', icon: ChartColumn },
      { to: '/leads', label: 'Leads', icon: Users },
      { to: '/events', label: 'Events', icon: Activity },
      { to: '/leaderboard', label: 'Leaderboard', icon: Trophy },
    ],
  },
  {
    label: 'Engage',
    items: [{ to: '/scoring', label: 'Scoring', icon: SlidersHorizontal }],
  },
  {
    label: 'Build',
    items: [
      { to: '/simulator', label: 'Simulator', icon: FlaskConical },
      { to: '/integrations', label: 'Integrations', icon: Cable },
    ],
  },
  {
    label: null,
    items: [
      { to: '/system', label: 'System', icon: Server },
      { to: '/settings', label: 'Settings', icon: Settings },
    ],
  },
];
