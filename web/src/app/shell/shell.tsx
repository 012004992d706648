import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { Menu, Search } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';

import { connectLive } from '@/api/live';
import { useMe } from '@/api/session';
import { IconButton } from '@/components/ui/button';
import { Sheet } from '@/components/ui/dialog';
import { ThemeSwitch } from '@/components/theme-switch';
import { StaleBar } from '@/components/ui/states';
import { Kbd } from '@/components/ui/text';

import { loadPagesWhenIdle } from '../preload';
import { AccountMenu, ProjectSwitch } from './account';
import { Bell } from './bell';
import { HealthDots } from './health';
import { NoProject } from './no-project';
import { OtherTab } from './other-tab';
import { Brand, Sidebar } from './sidebar';
import { SignInAgain } from './sign-in-again';

const CommandMenu = lazy(() => import('./command-menu'));

const MAC = navigator.userAgent.includes('Mac');

/** What stands around every page for who is logged in. */
export function Shell() {
  const { project } = useMe();
  const queries = useQueryClient();
  const router = useRouter();
  const [menu, setMenu] = useState(false);
  const [search, setSearch] = useState(false);
  const main = useRef<HTMLElement>(null);
  const path = useLocation({ select: (location) => location.pathname });
  const projectId = project?.id;

  useEffect(() => {
    if (projectId === undefined) return;
    return connectLive(queries);
  }, [queries, projectId]);

  useEffect(() => loadPagesWhenIdle(router, '/shell'), [router]);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey) && !event.altKey) {
        event.preventDefault();
        setSearch((open) => !open);
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);

  // A new page begins at its top.
  useEffect(() => {
    main.current?.scrollTo(0, 0);
  }, [path]);

  return (
    <div className="flex h-dvh overflow-hidden bg-page text-ink">
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-sm font-medium text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <aside className="hidden w-[216px] shrink-0 flex-col border-r border-line bg-subtle lg:flex">
        <div className="flex h-12 items-center px-5">
          <Brand />
        </div>
        <Sidebar className="min-h-0 flex-1 overflow-y-auto" />
      </aside>
      <Sheet
        open={menu}
        onClose={() => setMenu(false)}
        title="Menu"
        side="left"
        header={<Brand className="flex-1" />}
      >
        <Sidebar onNavigate={() => setMenu(false)} className="min-h-full" />
      </Sheet>

      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-12 shrink-0 items-center gap-1 border-b border-line bg-surface px-2 md:px-4">
          <IconButton
            icon={Menu}
            label="Menu"
            className="lg:hidden"
            onClick={() => setMenu(true)}
          />
          <ProjectSwitch />
          <button
            type="button"
            onClick={() => setSearch(true)}
            aria-keyshortcuts={MAC ? 'Meta+K' : 'Control+K'}
            className="ml-auto flex h-8 items-center gap-2 rounded-md border border-line px-2 text-sm text-muted hover:border-line-strong hover:bg-hover max-md:size-8 max-md:justify-center max-md:border-transparent md:w-60"
          >
            <Search aria-hidden className="size-4" />
            <span className="flex-1 text-left max-md:sr-only">Search</span>
            <span aria-hidden className="flex gap-0.5 max-md:hidden">
              <Kbd>{MAC ? '⌘' : 'Ctrl'}</Kbd>
              <Kbd>K</Kbd>
            </span>
          </button>
          <div className="flex items-center gap-0.5 md:ml-auto">
            <HealthDots />
            {project !== null && <Bell />}
            <span className="max-md:hidden">
              <ThemeSwitch />
            </span>
            <AccountMenu />
          </div>
        </header>
        <StaleBar />
        <main
          ref={main}
          id="main"
          tabIndex={-1}
          className="min-h-0 flex-1 overflow-y-auto focus:outline-none"
        >
          {project === null ? <NoProject /> : <Outlet />}
        </main>
      </div>

      {search && (
        <Suspense>
          <CommandMenu onClose={() => setSearch(false)} />
        </Suspense>
      )}
      <SignInAgain />
      <OtherTab />
    </div>
  );
}
