import { useInfiniteQuery } from '@tanstack/react-query';
import { ArrowRight } from 'lucide-react';

import { type Member, type WorkChange, workQuery } from '@/api/lead';
import { StatusBadge, type StatusName } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Avatar } from '@/components/ui/person';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';

import { ownerName, useMembers } from './controls';

/** Who took the lead, gave it, and how far the sale was said to be. */
export function WorkHistory({ leadId }: { leadId: string }) {
  const query = useInfiniteQuery(workQuery(leadId));
  const members = useMembers();
  if (query.isError && query.data === undefined) {
    return (
      <ErrorState
        error={query.error}
        title="The history can’t be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (query.data === undefined) {
    return (
      <Loading label="The history is loading">
        <Skeleton className="h-4 w-2/3" />
      </Loading>
    );
  }
  const changes = query.data.pages.flatMap((page) => page.changes);
  if (changes.length === 0) {
    return (
      <p className="text-sm text-muted">
        Nobody has taken this lead yet or said how far the sale is.
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-2">
      <ol className="divide-y divide-line">
        {changes.map((change) => (
          <Change key={change.id} change={change} members={members} />
        ))}
      </ol>
      {query.hasNextPage && (
        <Button
          size="sm"
          className="self-center"
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show earlier changes
        </Button>
      )}
    </div>
  );
}

function Change({ change, members }: { change: WorkChange; members: readonly Member[] }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1 py-2 text-sm">
      <span className="flex min-w-0 flex-wrap items-center gap-1.5">
        <span className="sr-only">{change.field} from</span>
        <Value field={change.field} value={change.from} members={members} />
        <ArrowRight aria-label="to" className="size-3.5 shrink-0 text-faint" />
        <Value field={change.field} value={change.to} members={members} />
      </span>
      <span className="text-xs text-muted">
        {by(change, members)} · <RelativeTime at={change.at} />
      </span>
    </li>
  );
}

function by({ by: who }: WorkChange, members: readonly Member[]): string {
  if (who === null) return 'by a merge';
  const member = members.find(({ id }) => id === who.id);
  return member?.name ?? who.name ?? (who.kind === 'key' ? 'by a key' : 'by the system');
}

function Value({
  field,
  value,
  members,
}: {
  field: WorkChange['field'];
  value: string | null;
  members: readonly Member[];
}) {
  if (field === 'status') return <StatusBadge status={(value ?? 'open') as StatusName} />;
  if (value === null) return <span className="text-muted">No owner</span>;
  const name = ownerName(value, members);
  return (
    <span className="inline-flex min-w-0 items-center gap-1.5">
      <Avatar person={members.find(({ id }) => id === value) ?? { id: value, name }} size="sm" />
      <span className="truncate" title={name}>
        {name}
      </span>
    </span>
  );
}
