import { useInfiniteQuery } from '@tanstack/react-query';
import { CopyCheck } from 'lucide-react';

import { type Conflict, conflictsQuery } from '@/api/operations';
import { Badge } from '@/components/ui/badge';
import { type Column, DataTable } from '@/components/ui/data-table';
import { Sheet } from '@/components/ui/dialog';
import { LoadMore } from '@/components/ui/layout';
import { EmptyState, ErrorState } from '@/components/ui/states';
import { CodeBlock, RelativeTime } from '@/components/ui/text';

const COLUMNS: Column<Conflict>[] = [
  {
    id: 'eventId',
    header: 'eventId',
    min: 220,
    grow: 2,
    phone: 'title',
    cell: ({ eventId }) => (
      <span className="block truncate font-mono text-xs" title={eventId}>
        {eventId}
      </span>
    ),
  },
  {
    id: 'sender',
    header: 'Sent by',
    min: 120,
    grow: 1,
    phone: 'aside',
    cell: ({ trusted }) => <Badge>{trusted ? 'Secret key' : 'Write key'}</Badge>,
  },
  {
    id: 'received',
    header: 'Received',
    min: 112,
    grow: 0,
    align: 'right',
    phone: 'meta',
    cell: ({ receivedAt }) => <RelativeTime at={receivedAt} className="text-muted" />,
  },
];

type Props = { open: string | undefined; onOpen: (id: string | undefined) => void };

/** Calls that used an eventId again for something else: the first one counts, these don't. */
export function Conflicts({ open, onOpen }: Props) {
  const found = useInfiniteQuery(conflictsQuery);
  const rows = found.data?.pages.flatMap((page) => page.conflicts) ?? [];
  const shown = rows.find(({ id }) => id === open);
  if (found.isError && found.data === undefined) {
    return (
      <ErrorState
        error={found.error}
        title="Conflicts can’t be shown"
        onRetry={() => void found.refetch()}
      />
    );
  }
  return (
    <>
      <DataTable
        label="Conflicts of eventIds"
        rows={rows}
        rowKey={({ id }) => id}
        columns={COLUMNS}
        loading={found.isPending ? 3 : false}
        current={open ?? null}
        onOpen={({ id }) => onOpen(id)}
        empty={
          <EmptyState icon={CopyCheck} title="No conflicts" className="py-10">
            A call that uses an eventId again for something else doesn’t count. It is kept here for
            a week, so that a faulty sender is found.
          </EmptyState>
        }
        footer={
          rows.length > 0 && (
            <LoadMore
              shown={rows.length}
              more={found.hasNextPage}
              busy={found.isFetchingNextPage}
              onMore={() => void found.fetchNextPage()}
              what={rows.length === 1 ? 'call' : 'calls'}
            />
          )
        }
      />
      <Sheet open={shown !== undefined} onClose={() => onOpen(undefined)} title="Conflict">
        {shown && (
          <div className="flex flex-col gap-4 p-4 text-sm">
            <p>
              This call came <RelativeTime at={shown.receivedAt} /> with an eventId that stands for
              another event already. The earlier one counts, this one doesn’t. Let the sender make a
              new eventId for each event.
            </p>
            <CodeBlock code={shown.eventId} label="eventId" />
            <CodeBlock code={JSON.stringify(shown.body, null, 2)} label="Call" />
          </div>
        )}
      </Sheet>
    </>
  );
}
