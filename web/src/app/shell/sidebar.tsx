import { Link, useRouter } from '@tanstack/react-router';

import { Logo } from '@/components/ui/logo';
import { cn } from '@/lib/cn';

import { NAV, type NavGroup, type NavItem } from './nav';

/** The places that exist: a part of the address counts as its place, as /settings/members does. */
export function useNav(): NavGroup[] {
  const router = useRouter();
  const paths = Object.keys(router.routesByPath);
  const exists = ({ to }: NavItem) =>
    paths.some((path) => path === to || path.startsWith(`${to}/`));
  return NAV.map((group) => ({ ...group, items: group.items.filter(exists) })).filter(
    ({ items }) => items.length > 0,
  );
}

export function Sidebar({
  onNavigate,
  className,
}: {
  onNavigate?: () => void;
  className?: string;
}) {
  const groups = useNav();
  return (
    <nav aria-label="Main" className={cn('flex flex-col gap-5 px-3 py-3', className)}>
      {groups.map(({ label, items }) => (
        <div key={label ?? 'rest'} className={cn(label === null && 'mt-auto')}>
          {label !== null && (
            <p className="mb-1 px-2 text-xs font-medium text-faint" id={`nav-${label}`}>
              {label}
            </p>
          )}
          <ul aria-labelledby={label === null ? undefined : `nav-${label}`}>
            {items.map(({ to, label: name, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onNavigate}
                  className="flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium text-muted hover:bg-hover hover:text-ink max-md:h-10"
                  activeProps={{ className: 'bg-pressed text-ink' }}
                >
                  <Icon aria-hidden className="size-4 shrink-0" />
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

export function Brand({ className }: { className?: string }) {
  return (
    <Link to="/" className={cn('rounded-md', className)}>
      <Logo />
    </Link>
  );
}
