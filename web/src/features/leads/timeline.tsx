import { useInfiniteQuery } from '@tanstack/react-query';
import { ChevronRight, MousePointerClick } from 'lucide-react';
import { useId, useState } from 'react';

import { type Session, sessionsQuery, type TimelineEvent } from '@/api/lead';
import { Delta } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { EventIcon } from '@/components/ui/event-icon';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { CodeBlock, RelativeTime } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

/** What the lead did, visit by visit, and what each act gave. */
export function Timeline({ leadId }: { leadId: string }) {
  const query = useInfiniteQuery(sessionsQuery(leadId));
  if (query.isError && query.data === undefined) {
    return (
      <ErrorState
        error={query.error}
        title="The timeline can’t be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (query.data === undefined) return <TimelineSkeleton />;
  const sessions = query.data.pages.flatMap((page) => page.sessions);
  if (sessions.length === 0) {
    return (
      <EmptyState icon={MousePointerClick} title="Nothing has happened yet" className="py-8">
        What this person does stands here, visit by visit.
      </EmptyState>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      {sessions.map((session) => (
        <Visit key={session.events.at(-1)?.id ?? session.startedAt} session={session} />
      ))}
      {query.hasNextPage && (
        <Button
          className="self-center"
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show earlier visits
        </Button>
      )}
    </div>
  );
}

function Visit({ session }: { session: Session }) {
  const id = useId();
  const length = Date.parse(session.endedAt) - Date.parse(session.startedAt);
  return (
    <section aria-labelledby={id}>
      <div className="flex items-baseline justify-between gap-3 pb-1">
        <h3 id={id} className="flex min-w-0 flex-wrap gap-x-1.5 text-xs font-medium text-muted">
          <RelativeTime at={session.startedAt} />
          <span className="font-normal">
            · {format.count(session.events.length, 'act')}
            {length >= 60_000 && ` in ${format.duration(length)}`}
          </span>
        </h3>
        <Delta value={session.scoreDelta} className="text-xs" />
      </div>
      <ol className="ml-2 border-l border-line">
        {session.events.map((event) => (
          <Act key={event.id} event={event} />
        ))}
      </ol>
    </section>
  );
}

const SHOWN = ['path', 'url', 'title', 'name', 'plan', 'value', 'note'];

/** The property that says most of what an act was about. */
function about({ properties }: TimelineEvent): string | null {
  for (const name of SHOWN) {
    const value: unknown = properties[name];
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') {
      return String(value);
    }
  }
  return null;
}

function Act({ event }: { event: TimelineEvent }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const what = about(event);
  const more = Object.keys(event.properties).length > 0;
  const body = (
    <>
      <span className="-ml-[13px] flex size-6 shrink-0 items-center justify-center rounded-full border border-line bg-surface">
        <EventIcon type={event.eventType} className="size-3" />
      </span>
      <span className="flex min-w-0 flex-1 items-baseline gap-2">
        <span className="truncate" title={event.eventType}>
          {format.words(event.eventType)}
        </span>
        {what !== null && (
          <span className="min-w-0 truncate text-xs text-muted" title={what}>
            {what}
          </span>
        )}
      </span>
      {event.scoreDelta !== 0 && <Delta value={event.scoreDelta} />}
      <time
        dateTime={event.timestamp}
        title={format.exactTime(event.timestamp)}
        className="w-16 shrink-0 text-right text-xs text-muted tabular"
      >
        {format.time(event.timestamp)}
      </time>
    </>
  );
  const line = 'flex min-h-8 w-full items-center gap-2 text-left text-sm';
  return (
    <li>
      {more ? (
        <>
          <button
            type="button"
            aria-expanded={open}
            aria-controls={id}
            className={cn(line, 'rounded-md hover:bg-hover')}
            onClick={() => setOpen(!open)}
          >
            {body}
            <ChevronRight
              aria-hidden
              className={cn(
                'size-3.5 shrink-0 text-faint transition-transform',
                open && 'rotate-90',
              )}
            />
          </button>
          <div id={id} hidden={!open} className="py-1 pl-5">
            {open && (
              <CodeBlock code={JSON.stringify(event.properties, null, 2)} label="Properties" />
            )}
          </div>
        </>
      ) : (
        <div className={line}>
          {body}
          <span className="w-3.5 shrink-0" />
        </div>
      )}
    </li>
  );
}

function TimelineSkeleton() {
  return (
    <Loading label="The timeline is loading">
      <div className="flex flex-col gap-3">
        {[0, 1, 2, 3, 4, 5].map((line) => (
          <div key={line} className="flex items-center gap-3">
            <Skeleton className="size-6 rounded-full" />
            <Skeleton className="h-3.5 w-1/2" />
          </div>
        ))}
      </div>
    </Loading>
  );
}
