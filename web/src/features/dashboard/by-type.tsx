import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Activity } from 'lucide-react';

import { figuresQuery } from '@/api/figures';
import { BarList } from '@/components/ui/bars';
import { EventIcon } from '@/components/ui/event-icon';
import { Card } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { words } from '@/lib/format';

const AT_MOST = 10;

/** What people do most. */
export function ByType() {
  const { data, error, refetch } = useQuery(figuresQuery);
  return (
    <Card title="Events by type">
      {data !== undefined ? (
        data.eventsByType.length === 0 ? (
          <EmptyState icon={Activity} title="No events yet" className="py-6">
            What your visitors do is counted here by its kind.
          </EmptyState>
        ) : (
          <BarList
            label="Events by type"
            unit="Events"
            shares
            bars={data.eventsByType.slice(0, AT_MOST).map(({ eventType, events }) => ({
              key: eventType,
              label: words(eventType),
              value: events,
              icon: <EventIcon type={eventType} className="relative" />,
              render: (name: string) => (
                <Link to="/events" search={{ type: eventType }} className="hover:underline">
                  {name}
                </Link>
              ),
            }))}
          />
        )
      ) : error ? (
        <ErrorState error={error} className="py-4" onRetry={() => void refetch()} />
      ) : (
        <Loading label="The types of events are loading">
          <Skeleton className="h-64" />
        </Loading>
      )}
    </Card>
  );
}
