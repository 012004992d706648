import { getRouteApi, Link } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';

import type { Lead } from '@/api/leads';
import { Card } from '@/components/ui/layout';
import { useTitle } from '@/lib/hooks';
import { displayName } from '@/lib/people';

import { Figures } from './figures';
import { LeadHead } from './head';
import { Identities } from './identities';
import { LeadFailed, LeadSkeleton } from './lead-states';
import { useLead } from './one-lead';
import { Profile } from './profile';
import { ScoreChart } from './score-chart';
import { Timeline } from './timeline';
import { Touches } from './touches';
import { Why } from './why';
import { WorkHistory } from './work-history';

const route = getRouteApi('/shell/leads/$leadId');

/** All about one lead. */
export function LeadPage() {
  const { leadId } = route.useParams();
  const navigate = route.useNavigate();
  const onMerged = (survivor: string) =>
    void navigate({ to: '/leads/$leadId', params: { leadId: survivor }, replace: true });
  const query = useLead(leadId, { onMerged });
  const lead = query.data;
  useTitle(lead === undefined ? 'Lead' : displayName(lead));
  return (
    <div className="mx-auto w-full max-w-[1440px] px-4 pt-3 pb-8 md:px-6">
      <Link
        to="/leads"
        className="-ml-1 inline-flex h-8 items-center gap-1 rounded-md pr-2 text-sm text-muted hover:text-ink"
      >
        <ChevronLeft aria-hidden className="size-4" />
        Leads
      </Link>
      {lead === undefined && <h1 className="sr-only">Lead</h1>}
      {query.isError && lead === undefined ? (
        <LeadFailed error={query.error} onRetry={() => void query.refetch()} />
      ) : lead === undefined ? (
        <LeadSkeleton />
      ) : (
        <Whole
          key={lead.id}
          lead={lead}
          onMerged={onMerged}
          onGone={() => void navigate({ to: '/leads' })}
        />
      )}
    </div>
  );
}

type Props = { lead: Lead; onGone: () => void; onMerged: (survivor: string) => void };

function Whole({ lead, onGone, onMerged }: Props) {
  const { at } = route.useSearch();
  const navigate = route.useNavigate();
  const look = (next: string | undefined) =>
    void navigate({ search: { at: next }, replace: true, resetScroll: false });
  return (
    <div className="flex flex-col gap-4 pt-2">
      <LeadHead lead={lead} heading="h1" onGone={onGone} onMerged={onMerged} />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_400px]">
        <div className="flex min-w-0 flex-col gap-4">
          <Figures lead={lead} />
          <Card title="Score over time">
            <ScoreChart lead={lead} at={at} onPick={look} />
          </Card>
          <Card title="Why this score">
            <Why lead={lead} at={at} onNow={() => look(undefined)} />
          </Card>
          <Card title="Timeline">
            <Timeline leadId={lead.id} />
          </Card>
        </div>
        <div className="grid min-w-0 gap-4 md:max-xl:grid-cols-2">
          <Card title="Profile">
            <Profile lead={lead} />
          </Card>
          <Card title="First and last touch">
            <Touches lead={lead} />
          </Card>
          <Card title="Identities">
            <Identities lead={lead} />
          </Card>
          <Card title="Owner and status">
            <WorkHistory leadId={lead.id} />
          </Card>
        </div>
      </div>
    </div>
  );
}
