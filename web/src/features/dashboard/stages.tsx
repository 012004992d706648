import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { keys } from '@/api/keys';
import { byStageQuery, STAGES } from '@/api/leads';
import { useLiveQueries } from '@/api/live';
import { STAGE } from '@/components/ui/badge';
import { BarList } from '@/components/ui/bars';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';

/** How the leads are spread over the stages. */
export function Stages() {
  const { data, error, refetch } = useQuery(byStageQuery);
  useLiveQueries(['leadUpdated'], [keys.leaderboard.byStage]);
  return (
    <Card title="Leads by stage">
      {data !== undefined ? (
        <BarList
          label="Leads by stage"
          unit="Leads"
          shares
          bars={STAGES.map((stage) => {
            const { label, icon: Icon, color } = STAGE[stage];
            return {
              key: stage,
              label,
              value: data[stage],
              color,
              icon: <Icon aria-hidden className="relative size-4 shrink-0 text-muted" />,
              render: (name: string) => (
                <Link to="/leads" search={{ stage }} className="hover:underline">
                  {name}
                </Link>
              ),
            };
          })}
        />
      ) : error ? (
        <ErrorState error={error} className="py-4" onRetry={() => void refetch()} />
      ) : (
        <Loading label="The stages are loading">
          <Skeleton className="h-31" />
        </Loading>
      )}
    </Card>
  );
}
