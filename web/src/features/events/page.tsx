import { getRouteApi } from '@tanstack/react-router';
import { Activity, ArrowUp, Pause, Play } from 'lucide-react';
import { useCallback, useRef } from 'react';

import { useLiveState } from '@/api/live';
import { useActions } from '@/components/ui/actions';
import { Button } from '@/components/ui/button';
import { DataTable } from '@/components/ui/data-table';
import { LoadMore, PageHeader } from '@/components/ui/layout';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { cn } from '@/lib/cn';

import { COLUMNS } from './columns';
import { EventDrawer } from './drawer';
import { Filters } from './filters';
import { useStream } from './use-stream';
import { type EventsView, filtersOf, NO_FILTERS } from './view';

const route = getRouteApi('/shell/events');

export function EventsPage() {
  const view = route.useSearch();
  const filters = filtersOf(view);
  // Another list begins anew, and running.
  return <Stream key={JSON.stringify(filters)} view={view} />;
}

function Stream({ view }: { view: EventsView }) {
  const navigate = route.useNavigate();
  const filters = filtersOf(view);
  const stream = useStream(filters);
  const box = useRef<HTMLDivElement>(null);
  const { paused } = stream;

  const change = useCallback(
    (changes: Partial<EventsView>, typed = false) =>
      void navigate({ search: (now) => ({ ...now, ...changes }), replace: typed }),
    [navigate],
  );
  const resume = () => {
    for (const part of box.current?.querySelectorAll('*') ?? []) {
      if (part.scrollTop > 0) part.scrollTop = 0;
    }
    stream.catchUp();
  };
  const toggle = paused ? resume : stream.pause;
  useActions([
    {
      id: 'pause-events',
      label: paused ? 'Resume the stream of events' : 'Pause the stream of events',
      icon: paused ? Play : Pause,
      run: toggle,
    },
  ]);
  const news = newsOf(stream.waiting);
  const filtered = Object.keys(filters).length > 0;

  return (
    <div className="flex h-full flex-col">
      <PageHeader
        title="Events"
        aside={<Pulse paused={paused} />}
        actions={
          <Button icon={paused ? Play : Pause} onClick={toggle} aria-pressed={paused}>
            {paused ? `Resume${news === null ? '' : ` (${news})`}` : 'Pause'}
          </Button>
        }
      />
      <Filters view={view} onChange={change} />
      <div
        ref={box}
        className="relative flex min-h-0 flex-1 flex-col border-t border-line bg-surface"
        onScrollCapture={(event) => {
          if (event.target instanceof Element) stream.onScroll(event.target.scrollTop);
        }}
        {...stream.props}
      >
        {!paused && news !== null && (
          <div className="pointer-events-none absolute inset-x-0 top-11 z-10 flex justify-center max-md:top-2">
            <Button
              kind="primary"
              size="sm"
              icon={ArrowUp}
              className="pointer-events-auto rounded-full px-3"
              onClick={resume}
            >
              {news} new
            </Button>
          </div>
        )}
        {stream.error !== null ? (
          <ErrorState
            error={stream.error}
            title="The events can’t be shown"
            onRetry={stream.retry}
          />
        ) : (
          <DataTable
            className="flex-1"
            label="Events"
            rows={stream.rows}
            rowKey={(event) => event.id}
            columns={COLUMNS}
            current={view.event ?? null}
            loading={stream.pending ? 14 : false}
            onOpen={({ id }) => change({ event: id }, view.event !== undefined)}
            onEnd={stream.loadMore}
            footer={
              <LoadMore
                shown={stream.rows.length}
                more={stream.more}
                busy={stream.loadingMore}
                onMore={stream.loadMore}
                what={stream.rows.length === 1 ? 'event shown' : 'events shown'}
              />
            }
            empty={
              filtered ? (
                <NothingFits
                  more={stream.more}
                  busy={stream.loadingMore}
                  onMore={stream.loadMore}
                  onClear={() => change(NO_FILTERS)}
                />
              ) : (
                <EmptyState
                  icon={Activity}
                  title="No event has come yet"
                  action={
                    <Button kind="primary" onClick={() => void navigate({ href: '/integrations' })}>
                      Send the first event
                    </Button>
                  }
                >
                  What people do on your website and in your product appears here at the moment it
                  happens.
                </EmptyState>
              )
            }
          />
        )}
      </div>
      {view.event !== undefined && (
        <EventDrawer id={view.event} onClose={() => change({ event: undefined })} />
      )}
    </div>
  );
}

function newsOf({ ids, more }: { ids: ReadonlySet<string>; more: boolean }): string | null {
  if (ids.size === 0 && !more) return null;
  return more ? `${Math.max(ids.size, 1)}+` : String(ids.size);
}

function NothingFits({
  more,
  busy,
  onMore,
  onClear,
}: {
  more: boolean;
  busy: boolean;
  onMore: () => void;
  onClear: () => void;
}) {
  return (
    <EmptyState
      icon={Activity}
      title={more ? 'None among the newest events' : 'No event fits these filters'}
      action={
        <>
          <Button onClick={onClear}>Clear the filters</Button>
          {more && (
            <Button kind="primary" busy={busy} onClick={onMore}>
              Look further back
            </Button>
          )}
        </>
      }
    >
      {more
        ? 'Rare events are looked for in portions, the newest first.'
        : 'Events that fit appear here as they come.'}
    </EmptyState>
  );
}

/** Whether events come in by themselves right now. */
function Pulse({ paused }: { paused: boolean }) {
  const { status } = useLiveState();
  const live = status === 'up' && !paused;
  const said = paused
    ? 'Paused'
    : { up: 'Live', down: 'Not live', connecting: 'Connecting' }[status];
  return (
    <span role="status" className="inline-flex items-center gap-1.5 text-xs">
      <span className="relative flex size-2">
        {live && (
          <span className="absolute inset-0 animate-ping rounded-full bg-qualified opacity-60 motion-reduce:hidden" />
        )}
        <span
          className={cn('relative size-2 rounded-full', live ? 'bg-qualified' : 'bg-control')}
        />
      </span>
      {said}
    </span>
  );
}
