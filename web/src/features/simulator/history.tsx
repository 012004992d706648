import { History } from 'lucide-react';

import { useProject } from '@/api/session';
import { TestBadge } from '@/components/event-status';
import { EventIcon } from '@/components/ui/event-icon';
import { Card } from '@/components/ui/layout';
import { RelativeTime } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import { useStore } from '@/lib/store';

import { sentEvents } from './sent';

/** What was sent in this visit. */
export function SentHistory({
  current,
  onOpen,
}: {
  current: string | undefined;
  onOpen: (eventId: string) => void;
}) {
  const project = useProject();
  const sent = useStore(sentEvents).get(project.id) ?? [];
  if (sent.length === 0) return null;
  return (
    <Card
      flush
      title={
        <span className="inline-flex items-center gap-2">
          <History aria-hidden className="size-4 text-muted" />
          Sent in this visit
        </span>
      }
    >
      <ul className="max-h-72 overflow-y-auto">
        {sent.map(({ id, eventType, whom, at, test }) => (
          <li key={id}>
            <button
              type="button"
              aria-current={id === current || undefined}
              className={cn(
                'flex h-10 w-full items-center gap-2.5 border-t border-line px-4 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2',
                id === current && 'bg-accent-soft hover:bg-accent-soft',
              )}
              onClick={() => onOpen(id)}
            >
              <EventIcon type={eventType} />
              <span className="truncate font-medium">{eventType}</span>
              {test && <TestBadge />}
              <span className="min-w-0 flex-1 truncate text-muted">{whom}</span>
              <RelativeTime at={at} className="text-xs text-muted" />
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
