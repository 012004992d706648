import { Link } from '@tanstack/react-router';
import { ChevronDown, ChevronUp, Maximize2 } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Lead } from '@/api/leads';
import { IconButton } from '@/components/ui/button';
import { Sheet } from '@/components/ui/dialog';
import { Tabs } from '@/components/ui/tabs';
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
import type { Tab } from './view';
import { Why } from './why';
import { WorkHistory } from './work-history';

type Props = {
  id: string;
  /** What the list knows of it. */
  known: Lead | undefined;
  tab: Tab;
  at: string | undefined;
  onTab: (tab: Tab) => void;
  onAt: (at: string | undefined) => void;
  onClose: () => void;
  onMerged: (survivor: string) => void;
  /** To the one above or below in the list; null where there is none. */
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
};

/** A lead beside the list. */
export function LeadDrawer(props: Props) {
  const { id, known, onClose, onMerged, onPrevious, onNext } = props;
  const query = useLead(id, { known, onMerged });
  const lead = query.data;
  return (
    <Sheet
      open
      beside
      onClose={onClose}
      title={lead === undefined ? 'Lead' : displayName(lead)}
      className="md:w-[640px]"
      header={
        <div className="flex flex-1 items-center gap-0.5">
          <IconButton
            icon={ChevronUp}
            label="The one above (k)"
            disabled={onPrevious === null}
            onClick={() => onPrevious?.()}
          />
          <IconButton
            icon={ChevronDown}
            label="The one below (j)"
            disabled={onNext === null}
            onClick={() => onNext?.()}
          />
          <Link
            to="/leads/$leadId"
            params={{ leadId: id }}
            aria-label="Open as a page"
            title="Open as a page"
            className="ml-auto inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
          >
            <Maximize2 aria-hidden className="size-4" />
          </Link>
        </div>
      }
    >
      {query.isError && lead === undefined ? (
        <LeadFailed error={query.error} onRetry={() => void query.refetch()} />
      ) : lead === undefined ? (
        <LeadSkeleton />
      ) : (
        <Parts {...props} lead={lead} />
      )}
    </Sheet>
  );
}

function Parts({ lead, tab, at, onTab, onAt, onClose, onMerged }: Props & { lead: Lead }) {
  const tabs: { value: Tab; label: string; content: ReactNode }[] = [
    {
      value: 'overview',
      label: 'Overview',
      content: (
        <Pane>
          <Figures lead={lead} />
          <Part title="Score over time">
            <ScoreChart lead={lead} at={at} onPick={onAt} />
          </Part>
          <Part title="Why this score">
            <Why lead={lead} at={at} onNow={() => onAt(undefined)} />
          </Part>
        </Pane>
      ),
    },
    {
      value: 'activity',
      label: 'Activity',
      content: (
        <Pane>
          <Timeline leadId={lead.id} />
        </Pane>
      ),
    },
    {
      value: 'profile',
      label: 'Profile',
      content: (
        <Pane>
          <Part title="Profile">
            <Profile lead={lead} />
          </Part>
          <Part title="First and last touch">
            <Touches lead={lead} />
          </Part>
          <Part title="Identities">
            <Identities lead={lead} />
          </Part>
        </Pane>
      ),
    },
    {
      value: 'history',
      label: 'History',
      content: (
        <Pane>
          <Part title="Owner and status">
            <WorkHistory leadId={lead.id} />
          </Part>
        </Pane>
      ),
    },
  ];
  return (
    <>
      <div className="px-4 pt-4 pb-3">
        <LeadHead lead={lead} heading="h2" onGone={onClose} onMerged={onMerged} />
      </div>
      <Tabs label="Parts of the lead" value={tab} onChange={onTab} tabs={tabs} />
    </>
  );
}

function Pane({ children }: { children: ReactNode }) {
  return <div className="flex flex-col gap-6 p-4">{children}</div>;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-2 text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}
