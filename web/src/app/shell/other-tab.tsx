import { useEffect, useState } from 'react';

import { useMe } from '@/api/session';
import { onTabNews, type TabNews } from '@/api/tabs';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { toastError } from '@/components/ui/toast';

import { openProject } from './account';

/**
 * Another window of this browser has switched the project, which they share. What was done here
 * would go to that one, so first it is asked which one is meant.
 */
export function OtherTab() {
  const { project } = useMe();
  const [news, setNews] = useState<TabNews | null>(null);
  useEffect(
    () =>
      onTabNews((told) => {
        if (told.kind === 'signed-out') location.assign('/login');
        else setNews(told.id === project?.id ? null : told);
      }),
    [project?.id],
  );
  if (news?.kind !== 'project') return null;
  const follow = () => location.assign('/dashboard');
  return (
    <Dialog
      open
      onClose={follow}
      width="sm"
      title={`This browser now works in ${news.name}`}
      description="It was switched in another window, and holds for all windows of this browser."
      footer={
        <>
          {project !== null && (
            <Button
              onClick={() => {
                openProject(project.id, project.name).catch(toastError);
              }}
            >
              Back to {project.name}
            </Button>
          )}
          <Button kind="primary" onClick={follow}>
            Open {news.name}
          </Button>
        </>
      }
    />
  );
}
