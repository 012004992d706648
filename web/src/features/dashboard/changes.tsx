import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Activity } from 'lucide-react';

import { mutationsQuery } from '@/api/figures';
import { keys } from '@/api/keys';
import { useHold, useLiveQueries } from '@/api/live';
import { Delta } from '@/components/ui/badge';
import { EventIcon } from '@/components/ui/event-icon';
import { Card } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { Points, RelativeTime } from '@/components/ui/text';
import { words } from '@/lib/format';

const AT_MOST = 10;

/** The newest changes of scores, as they come. */
export function Changes({ className }: { className?: string }) {
  const hold = useHold();
  const { data, error, refetch } = useQuery(mutationsQuery(AT_MOST));
  useLiveQueries(['scoreMutation'], [keys.analytics.part('score-mutations', { limit: AT_MOST })], {
    hold,
  });
  return (
    <Card title="Latest score changes" flush {...(className !== undefined && { className })}>
      {data === undefined ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="The score changes are loading">
            <div className="flex flex-col gap-3 px-4 py-2">
              {Array.from({ length: AT_MOST }, (_, row) => (
                <Skeleton key={row} className="h-6" />
              ))}
            </div>
          </Loading>
        )
      ) : data.mutations.length === 0 ? (
        <EmptyState icon={Activity} title="No score has changed yet">
          Each event that gives or takes points stands here a moment after it came in.
        </EmptyState>
      ) : (
        <ul {...hold.props} className="divide-y divide-line">
          {data.mutations.map((change) => (
            <li key={change.id}>
              <Link
                to="/leads/$leadId"
                params={{ leadId: change.leadId }}
                className="flex min-h-9 items-center gap-3 px-4 py-1 text-sm hover:bg-hover focus-visible:-outline-offset-2"
              >
                <EventIcon type={change.eventType} />
                <span className="w-36 min-w-0 truncate" title={change.eventType}>
                  {words(change.eventType)}
                </span>
                <span className="min-w-0 flex-1 truncate text-muted">
                  {change.name ?? change.email ?? 'Somebody unknown'}
                </span>
                <Delta value={change.delta} className="w-14 text-right" />
                <Points
                  value={change.newScore}
                  className="w-12 text-right font-medium max-sm:hidden"
                />
                <RelativeTime
                  at={change.recordedAt}
                  className="w-24 text-right text-xs text-muted max-sm:hidden"
                />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
