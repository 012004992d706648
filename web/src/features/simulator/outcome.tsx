import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FlaskConical } from 'lucide-react';

import { eventQuery, modelInForceQuery } from '@/api/events';
import { keys } from '@/api/keys';
import { useLiveQueries } from '@/api/live';
import { EventStatus, TestBadge } from '@/components/event-status';
import { Pipeline } from '@/components/pipeline';
import { Button } from '@/components/ui/button';
import { EventIcon } from '@/components/ui/event-icon';
import { Card } from '@/components/ui/layout';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { WhatItDid } from '@/components/what-it-did';
import { leadPath } from '@/lib/paths';

/** The way of the event that was sent, and what it did. */
export function Outcome({ id }: { id: string | undefined }) {
  if (id === undefined) {
    return (
      <Card>
        <EmptyState icon={FlaskConical} title="Watch an event on its way">
          Send one: each stage of the pipeline appears here with its time, and then what it did to
          the score.
        </EmptyState>
      </Card>
    );
  }
  return <Way key={id} id={id} />;
}

function Way({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(eventQuery(id));
  const model = useQuery(modelInForceQuery);
  useLiveQueries(['newEvent'], [keys.events.one(id)], {
    when: (message) => 'id' in message && message.id === id,
  });
  if (data === undefined) {
    return (
      <Card>
        {error ? (
          <ErrorState
            error={error}
            title="The event can’t be shown"
            onRetry={() => void refetch()}
          />
        ) : (
          <Loading label="The event is loading">
            <div className="flex flex-col gap-2">
              <Skeleton className="mb-2 h-6 w-1/2" />
              {Array.from({ length: 5 }, (_, index) => (
                <Skeleton key={index} className="h-6" />
              ))}
              <Skeleton className="mt-3 h-24" />
            </div>
          </Loading>
        )}
      </Card>
    );
  }
  const stopped = data.status === 'held' ? 'Held: its lead sends more than a lead can' : null;
  return (
    <Card
      title={
        <span className="inline-flex items-center gap-2">
          <EventIcon type={data.eventType} />
          {data.eventType}
        </span>
      }
      aside={
        <span className="flex shrink-0 items-center gap-1.5">
          {data.test && <TestBadge />}
          <EventStatus status={data.status} />
        </span>
      }
    >
      <div className="flex flex-col gap-4">
        <Pipeline times={data.pipeline} stopped={stopped} />
        <div className="border-t border-line pt-4">
          <WhatItDid event={data} model={model.data} />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button asChild>
            <Link to={leadPath(data.leadId)}>Open the lead</Link>
          </Button>
          <Button asChild kind="ghost">
            <Link to="/events" search={{ event: data.id }}>
              Show among all events
            </Link>
          </Button>
        </div>
      </div>
    </Card>
  );
}
