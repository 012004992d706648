import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowRight, PhoneCall } from 'lucide-react';

import { urgentQuery } from '@/api/figures';
import { keys } from '@/api/keys';
import { useHold, useLiveQueries } from '@/api/live';
import { StageBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/layout';
import { Avatar, PersonName } from '@/components/ui/person';
import { EmptyState, ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { Points, RelativeTime } from '@/components/ui/text';

const AT_MOST = 7;

/** The leads whose next action is the most urgent, and what that action is. */
export function ToCall({ className }: { className?: string }) {
  const hold = useHold();
  const { data, error, refetch } = useQuery(urgentQuery(AT_MOST));
  useLiveQueries(['leadUpdated'], [keys.leads.list({ sort: 'urgency', limit: AT_MOST })], { hold });
  return (
    <Card
      title="Whom to call now"
      flush
      {...(className !== undefined && { className })}
      aside={
        <Link
          to="/leads"
          search={{ view: 'call' }}
          className="inline-flex items-center gap-1 text-xs font-medium text-accent-text hover:underline"
        >
          The whole list <ArrowRight aria-hidden className="size-3.5" />
        </Link>
      }
    >
      {data === undefined ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Loading label="The list is loading">
            <div className="flex flex-col gap-3 px-4 py-2">
              {Array.from({ length: AT_MOST }, (_, row) => (
                <Skeleton key={row} className="h-9" />
              ))}
            </div>
          </Loading>
        )
      ) : data.leads.length === 0 ? (
        <EmptyState
          icon={PhoneCall}
          title="Nobody to call right now"
          action={
            <Button asChild>
              <Link to="/leads">See all leads</Link>
            </Button>
          }
        >
          Open leads that turn warm, hot or qualified stand here, the most urgent first.
        </EmptyState>
      ) : (
        <ul {...hold.props} className="divide-y divide-line">
          {data.leads.map((lead) => (
            <li key={lead.id}>
              <Link
                to="/leads/$leadId"
                params={{ leadId: lead.id }}
                className="flex min-h-13 items-center gap-3 px-4 py-1.5 hover:bg-hover focus-visible:-outline-offset-2"
              >
                <Avatar person={lead} />
                <PersonName person={lead} className="min-w-0 flex-1 basis-40 text-sm leading-4" />
                <span
                  className="hidden min-w-0 flex-1 basis-64 truncate text-sm text-muted md:block"
                  title={lead.nextBestAction}
                >
                  {lead.nextBestAction}
                </span>
                <RelativeTime
                  at={lead.lastEventAt}
                  none="never"
                  className="hidden w-20 shrink-0 text-right text-xs text-muted sm:block"
                />
                <span className="w-21 shrink-0">
                  <StageBadge stage={lead.leadStage} />
                </span>
                <Points
                  value={lead.currentScore}
                  className="w-12 shrink-0 text-right font-semibold"
                />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
