import { useNavigate } from '@tanstack/react-router';
import { Check, ChevronsUpDown, LogOut, MonitorX } from 'lucide-react';
import { useState } from 'react';

import { answer, client } from '@/api/client';
import { ended, isOpen, switchProject, useMe } from '@/api/session';
import { tellTabs } from '@/api/tabs';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/dialog';
import { DropdownMenu, MenuItem, MenuLabel, MenuSeparator } from '@/components/ui/menu';
import { Avatar } from '@/components/ui/person';
import { toastError } from '@/components/ui/toast';
import { messageOf } from '@/api/errors';

/** Opens another project: by a new page, so that nothing of the one before is left in memory. */
export async function openProject(id: string, name: string): Promise<void> {
  await switchProject(id);
  tellTabs({ kind: 'project', id, name });
  location.assign('/dashboard');
}

export function ProjectSwitch() {
  const { project, projects } = useMe();
  const [busy, setBusy] = useState(false);
  const open = (id: string, name: string) => {
    setBusy(true);
    openProject(id, name).catch((error: unknown) => {
      setBusy(false);
      toastError(error);
    });
  };
  return (
    <DropdownMenu
      align="start"
      className="w-64"
      trigger={
        <Button kind="ghost" busy={busy} className="min-w-0 shrink px-2 text-ink">
          <span className="truncate" title={project?.name}>
            <span className="sr-only">Project: </span>
            {project?.name ?? 'No project'}
          </span>
          <ChevronsUpDown aria-hidden className="size-3.5 text-muted" />
        </Button>
      }
    >
      <MenuLabel>Projects</MenuLabel>
      {projects.filter(isOpen).map(({ id, name, role }) => (
        <MenuItem key={id} onSelect={() => id !== project?.id && open(id, name)}>
          <span className="flex size-4 shrink-0 items-center justify-center">
            {id === project?.id && (
              <Check aria-label="Open now" className="size-4 text-accent-text" />
            )}
          </span>
          <span className="min-w-0 flex-1 truncate" title={name}>
            {name}
          </span>
          <span className="text-xs text-muted">{role}</span>
        </MenuItem>
      ))}
    </DropdownMenu>
  );
}

export function AccountMenu() {
  const { user } = useMe();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const leave = async (everywhere: boolean) => {
    setBusy(true);
    try {
      await answer(
        everywhere ? client.POST('/api/auth/logout-all') : client.POST('/api/auth/logout'),
      );
      ended();
      tellTabs({ kind: 'signed-out' });
      location.assign('/login');
    } catch (failure) {
      setBusy(false);
      if (everywhere) setError(messageOf(failure));
      else toastError(failure);
    }
  };
  return (
    <>
      <DropdownMenu
        className="w-60"
        trigger={
          <button
            type="button"
            aria-label={`Account of ${user.name}`}
            className="flex size-8 shrink-0 items-center justify-center rounded-full hover:bg-hover"
          >
            <Avatar person={user} />
          </button>
        }
      >
        <div className="flex flex-col px-2 py-1.5 text-sm">
          <span className="truncate font-medium">{user.name}</span>
          <span className="truncate text-xs text-muted" title={user.email}>
            {user.email}
          </span>
        </div>
        <MenuSeparator />
        <MenuItem onSelect={() => void navigate({ href: '/settings/profile' })}>
          Your account
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={LogOut} disabled={busy} onSelect={() => void leave(false)}>
          Sign out
        </MenuItem>
        <MenuItem icon={MonitorX} disabled={busy} onSelect={() => setAsking(true)}>
          Sign out everywhere
        </MenuItem>
      </DropdownMenu>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => void leave(true)}
        title="Sign out everywhere?"
        action="Sign out everywhere"
        busy={busy}
        error={error}
      >
        Every browser and program that works with your account has to sign in again, this one too.
        What is typed there and not saved yet is lost. Keys of projects go on working.
      </ConfirmDialog>
    </>
  );
}
