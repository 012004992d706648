import { Eye, PhoneCall } from 'lucide-react';

import type { Lead } from '@/api/leads';
import * as format from '@/lib/format';
import { useNow } from '@/lib/hooks';

/** What speaks for the next action, in words. */
export function reasonOf(lead: Lead, now: number): string {
  const stage = format.words(lead.leadStage);
  const acts =
    lead.eventsLast24h > 0
      ? `${format.count(lead.eventsLast24h, 'act')} in the last 24 hours`
      : null;
  const seen =
    lead.lastEventAt === null
      ? 'has done nothing yet'
      : `last act ${format.relativeTime(lead.lastEventAt, now)}`;
  const risk = lead.risk === 'high' ? 'long silent' : null;
  return [stage, acts, risk, seen].filter((part) => part !== null).join(', ');
}

/** What to do with the lead now, and why. */
export function NextStep({ lead }: { lead: Lead }) {
  const now = useNow();
  const Icon = lead.nextAction === 'monitor' ? Eye : PhoneCall;
  return (
    <div className="flex items-start gap-3 rounded-lg border border-line bg-subtle px-3 py-2.5">
      <span className="mt-0.5 flex size-7 shrink-0 items-center justify-center rounded-md bg-accent-soft text-accent-text">
        <Icon aria-hidden className="size-4" />
      </span>
      <div className="min-w-0">
        <p className="font-medium">{lead.nextBestAction}</p>
        <p className="text-sm text-muted">{reasonOf(lead, now)}</p>
      </div>
    </div>
  );
}
