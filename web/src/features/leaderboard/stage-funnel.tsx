import type { UseQueryResult } from '@tanstack/react-query';
import { Fragment } from 'react';

import { STAGES } from '@/api/leads';
import type { components } from '@/api/schema';
import { STAGE, StageBadge } from '@/components/ui/badge';
import { Card } from '@/components/ui/layout';
import { ErrorState, Loading, Skeleton } from '@/components/ui/states';
import { number, percent } from '@/lib/format';

import { reached } from './funnel';

type ByStage = components['schemas']['ByStage'];

/** Leads per stage, and which share of those who came so far went on. */
export function StageFunnel({ query }: { query: UseQueryResult<ByStage> }) {
  const { data, error, refetch } = query;
  if (data === undefined) {
    return (
      <Card title="Stages">
        {error ? (
          <ErrorState error={error} className="py-4" onRetry={() => void refetch()} />
        ) : (
          <Loading label="The stages are loading">
            <div className="grid grid-cols-2 gap-4 md:grid-cols-4">
              {STAGES.map((stage) => (
                <Skeleton key={stage} className="h-16" />
              ))}
            </div>
          </Loading>
        )}
      </Card>
    );
  }
  const steps = reached(data);
  const all = steps[0]?.reached ?? 0;
  return (
    <Card title="Stages">
      <div aria-hidden className="mb-4 flex h-2 gap-px overflow-hidden rounded-full bg-pressed">
        {steps.map(({ stage, here }) => (
          <Fragment key={stage}>
            {here > 0 && (
              <span style={{ width: `${(here / all) * 100}%`, background: STAGE[stage].color }} />
            )}
          </Fragment>
        ))}
      </div>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-5 md:grid-cols-4">
        {steps.map(({ stage, here, conversion }) => (
          <div key={stage} className="flex min-w-0 flex-col gap-1">
            <dt>
              <StageBadge stage={stage} />
            </dt>
            <dd className="text-2xl font-semibold tracking-tight tabular">
              {number(here)} <span className="sr-only">leads</span>
            </dd>
            <dd className="text-xs text-muted">
              {conversion === null
                ? `${number(all)} leads in all`
                : conversion.share === null
                  ? 'nobody came so far'
                  : `${percent(conversion.share)} of ${STAGE[conversion.from].label.toLowerCase()} or beyond got here`}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
