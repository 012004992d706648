import { useQuery } from '@tanstack/react-query';
import { Minus, TrendingDown, TrendingUp } from 'lucide-react';
import type { ReactNode } from 'react';

import { intelligenceQuery } from '@/api/lead';
import type { Lead } from '@/api/leads';
import { RiskBadge } from '@/components/ui/badge';
import { Skeleton } from '@/components/ui/states';
import * as format from '@/lib/format';

const TRENDS = {
  increasing: { icon: TrendingUp, words: 'rising', look: 'text-good-text' },
  steady: { icon: Minus, words: 'steady', look: 'text-muted' },
  decreasing: { icon: TrendingDown, words: 'falling', look: 'text-danger-text' },
} as const;

function Figure({
  label,
  children,
  below,
  title,
}: {
  label: string;
  children: ReactNode;
  below: ReactNode;
  title?: string;
}) {
  return (
    <div className="min-w-0 bg-surface px-3 py-2.5" title={title}>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="mt-0.5">
        <span className="block text-lg leading-6 font-semibold tracking-tight tabular">
          {children}
        </span>
        <span className="block min-h-4 truncate text-xs text-muted">{below}</span>
      </dd>
    </div>
  );
}

/** Score, velocity, risk and engagement of a lead. */
export function Figures({ lead }: { lead: Lead }) {
  const { data } = useQuery(intelligenceQuery(lead.id));
  const trend = data && TRENDS[data.velocityTrend];
  const days = data?.daysSinceLastEvent;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
      <Figure label="Score" below="points">
        {format.points(lead.currentScore)}
      </Figure>
      <Figure
        label="Velocity"
        title="Acts of the last 24 hours, on a scale of 10, and whether there are more than in the 24 before"
        below={
          trend && (
            <span className="inline-flex items-center gap-1">
              <trend.icon aria-hidden className={`size-3.5 ${trend.look}`} />
              {trend.words}
            </span>
          )
        }
      >
        {lead.velocityScore}
        <span className="text-sm font-normal text-muted"> / 10</span>
      </Figure>
      <Figure
        label="Risk"
        title="How long the lead has been silent"
        below={
          days == null
            ? 'no act yet'
            : days < 1
              ? 'seen today'
              : `silent for ${format.count(Math.floor(days), 'day')}`
        }
      >
        <RiskBadge risk={lead.risk} className="text-sm" />
      </Figure>
      <Figure
        label="Engagement"
        title="How recent, how often and how various its acts of 30 days are"
        below="last 30 days"
      >
        {data === undefined ? (
          <Skeleton className="my-1 h-4 w-12" />
        ) : (
          <>
            {format.points(data.engagementScore)}
            <span className="text-sm font-normal text-muted"> / 10</span>
          </>
        )}
      </Figure>
    </dl>
  );
}
