import { getRouteApi, Link } from '@tanstack/react-router';
import { Mail } from 'lucide-react';
import { type ComponentType } from 'react';

import { useMe } from '@/api/session';
import { Select } from '@/components/ui/form';
import { PageHeader } from '@/components/ui/layout';
import { EmptyState, Notice } from '@/components/ui/states';
import { cn } from '@/lib/cn';

import { AppearanceSection } from './appearance';
import { AuditSection } from './audit';
import { InvitationsSection } from './invitations';
import { MembersSection } from './members';
import { PasswordSection } from './password';
import { PrivacySection } from './privacy';
import { ProfileSection } from './profile';
import { ProjectSection } from './project';
import { isSection, SECTION, type Section, SECTIONS } from './sections';
import { SessionsSection } from './sessions';

const route = getRouteApi('/shell/settings/$section');

const SHOWS: Record<Section, ComponentType> = {
  project: ProjectSection,
  members: MembersSection,
  invitations: InvitationsSection,
  privacy: PrivacySection,
  audit: AuditSection,
  profile: ProfileSection,
  password: PasswordSection,
  sessions: SessionsSection,
  appearance: AppearanceSection,
};
const GROUPS = ['Project', 'Your account'] as const;

export function SettingsPage() {
  const { section } = route.useParams();
  const navigate = route.useNavigate();
  const open = (next: string) =>
    void navigate({ to: '/settings/$section', params: { section: next } });
  const Shown = isSection(section) ? SHOWS[section] : Unknown;
  return (
    <div className="flex min-h-full flex-col pb-10">
      <PageHeader title={isSection(section) ? SECTION[section].label : 'Settings'} />
      <div className="flex flex-col gap-4 px-4 md:flex-row md:gap-8 md:px-6">
        <Select
          aria-label="Part of the settings"
          className="md:hidden"
          value={section}
          onChange={(event) => open(event.target.value)}
        >
          {GROUPS.map((group) => (
            <optgroup key={group} label={group}>
              {SECTIONS.filter((name) => SECTION[name].group === group).map((name) => (
                <option key={name} value={name}>
                  {SECTION[name].label}
                </option>
              ))}
            </optgroup>
          ))}
        </Select>
        <SideList />
        <div className="flex max-w-[760px] min-w-0 flex-1 flex-col gap-4">
          <Unverified />
          <Shown key={section} />
        </div>
      </div>
    </div>
  );
}

function SideList() {
  return (
    <nav aria-label="Settings" className="hidden w-44 shrink-0 flex-col gap-5 md:flex">
      {GROUPS.map((group) => (
        <div key={group}>
          <p className="mb-1 px-2 text-xs font-medium text-muted" id={`settings-${group}`}>
            {group}
          </p>
          <ul aria-labelledby={`settings-${group}`}>
            {SECTIONS.filter((name) => SECTION[name].group === group).map((name) => {
              const { label, icon: Icon } = SECTION[name];
              return (
                <li key={name}>
                  <Link
                    to="/settings/$section"
                    params={{ section: name }}
                    className="flex h-8 items-center gap-2 rounded-md px-2 text-sm font-medium text-muted hover:bg-hover hover:text-ink"
                    activeOptions={{ includeSearch: false }}
                    activeProps={{ className: cn('bg-pressed text-ink') }}
                  >
                    <Icon aria-hidden className="size-4 shrink-0" />
                    {label}
                  </Link>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** What an account can't do yet whose address nobody has confirmed. */
function Unverified() {
  const { user } = useMe();
  const { section } = route.useParams();
  if (user.emailVerified || section === 'profile') return null;
  return (
    <Notice
      tone="warn"
      icon={Mail}
      action={
        <Link
          to="/settings/$section"
          params={{ section: 'profile' }}
          className="shrink-0 font-medium underline underline-offset-2"
        >
          Verify
        </Link>
      }
    >
      Your email address isn’t verified. Until it is, you can’t invite people or make secret keys.
    </Notice>
  );
}

function Unknown() {
  return (
    <EmptyState title="There is no such part of the settings">
      Choose one of the list of settings.
    </EmptyState>
  );
}
