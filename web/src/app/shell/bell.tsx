import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Bell as BellIcon } from 'lucide-react';
import { useState } from 'react';

import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { type Notification, notificationsQuery, sawUntil } from '@/api/notifications';
import { Badge, StageBadge } from '@/components/ui/badge';
import { Popover } from '@/components/ui/menu';
import { Avatar } from '@/components/ui/person';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { Points, RelativeTime } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import { count } from '@/lib/format';
import { displayName } from '@/lib/people';

const FOLLOWED = ['leadUpdated'] as const;

/** What happened meanwhile: leads that became hot or qualified since I looked. */
export function Bell() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const { data, error, refetch } = useQuery(notificationsQuery);
  useLiveQueries(FOLLOWED, [keys.notifications]);
  const seen = useMutation({
    mutationFn: sawUntil,
    // What is new stays marked while one looks at it.
    onSuccess: ({ unseen }) =>
      queries.setQueryData(notificationsQuery.queryKey, (now) => now && { ...now, unseen }),
  });
  const unseen = data?.unseen ?? 0;

  const change = (next: boolean) => {
    setOpen(next);
    const newest = data?.notifications
      .map(({ at }) => at)
      .sort((a, b) => Date.parse(b) - Date.parse(a))[0];
    if (next && unseen > 0 && newest !== undefined) seen.mutate(newest);
    if (!next) void queries.invalidateQueries({ queryKey: keys.notifications });
  };
  const said =
    unseen === 0
      ? 'Nothing new'
      : `${count(unseen, 'lead')} became hot or qualified since you looked`;
  return (
    <Popover
      align="end"
      label="What happened meanwhile"
      className="w-90 p-0"
      open={open}
      onOpenChange={change}
      trigger={
        <button
          type="button"
          aria-label={`What happened meanwhile. ${said}`}
          title={said}
          className="relative flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
        >
          <BellIcon aria-hidden className="size-4" />
          {unseen > 0 && (
            <span
              aria-hidden
              className="absolute top-0 right-0 flex h-4 min-w-4 items-center justify-center rounded-full bg-accent px-1 text-[10px] font-semibold text-accent-ink tabular"
            >
              {unseen > 99 ? '99+' : unseen}
            </span>
          )}
        </button>
      }
    >
      <h2 className="border-b border-line px-4 py-2.5 text-sm font-semibold">
        Became hot or qualified
      </h2>
      {data === undefined ? (
        error ? (
          <ErrorState error={error} className="py-6" onRetry={() => void refetch()} />
        ) : (
          <Loading label="Loading">
            <div className="flex flex-col gap-3 p-4">
              <Skeleton className="h-9" />
              <Skeleton className="h-9" />
            </div>
          </Loading>
        )
      ) : data.notifications.length === 0 ? (
        <EmptyState icon={BellIcon} title="Nothing yet" className="py-8">
          Leads that become hot or qualified are told here, yours first.
        </EmptyState>
      ) : (
        <ul>
          {data.notifications.map((one) => (
            <li key={one.id}>
              <Line
                one={one}
                onOpen={() => {
                  change(false);
                  void navigate({ href: `/leads/${one.leadId}` });
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

function Line({ one, onOpen }: { one: Notification; onOpen: () => void }) {
  const name = displayName(one);
  return (
    <button
      type="button"
      onClick={onOpen}
      className={cn(
        'flex w-full items-center gap-3 border-b border-line px-4 py-2.5 text-left hover:bg-hover focus-visible:-outline-offset-2',
        !one.seen && 'bg-accent-soft',
      )}
    >
      <Avatar person={{ ...one, id: one.leadId }} />
      <span className="flex min-w-0 flex-1 flex-col gap-0.5">
        <span className="flex min-w-0 items-center gap-2 text-sm">
          <span className={cn('truncate', !one.seen && 'font-semibold')} title={name}>
            {name}
          </span>
          {one.mine && <Badge tone="accent">Yours</Badge>}
          {!one.seen && <span className="sr-only">new</span>}
        </span>
        <span className="truncate text-xs text-muted">
          {one.company !== null && `${one.company} · `}
          <RelativeTime at={one.at} />
        </span>
      </span>
      <span className="flex shrink-0 flex-col items-end gap-0.5">
        <StageBadge stage={one.to} />
        <Points value={one.score} className="text-xs font-medium" />
      </span>
    </button>
  );
}
