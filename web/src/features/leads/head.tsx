import { FlaskConical } from 'lucide-react';

import type { Lead } from '@/api/leads';
import { Badge, StageBadge } from '@/components/ui/badge';
import { Avatar } from '@/components/ui/person';
import { displayName } from '@/lib/people';

import { OwnerControl, StatusControl } from './controls';
import { MoreMenu } from './more-menu';
import { NextStep } from './next-step';

type Props = {
  lead: Lead;
  /** The heading of a page, or of a part of one. */
  heading: 'h1' | 'h2';
  onGone: () => void;
  onMerged: (survivor: string) => void;
};

/** Who it is, what to do next, whose it is, and how far the sale is. */
export function LeadHead({ lead, heading: Heading, onGone, onMerged }: Props) {
  const name = displayName(lead);
  const below = [lead.email === name ? null : lead.email, lead.company].filter(
    (part) => part !== null && part !== '',
  );
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-3">
        <div className="flex min-w-0 flex-1 basis-60 items-center gap-3">
          <Avatar person={lead} size="lg" />
          <div className="min-w-0">
            <div className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
              <Heading
                className="max-w-full truncate text-xl font-semibold tracking-tight"
                title={name}
              >
                {name}
              </Heading>
              <StageBadge stage={lead.leadStage} />
              {lead.test && (
                <Badge icon={FlaskConical} title="Made by test events; in no figure">
                  Test
                </Badge>
              )}
              {lead.sample && (
                <Badge title="Of the sample data, which goes away as a whole">Sample</Badge>
              )}
            </div>
            {below.length > 0 && (
              <p className="truncate text-sm text-muted" title={below.join(' · ')}>
                {below.join(' · ')}
              </p>
            )}
          </div>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <OwnerControl lead={lead} />
          <StatusControl lead={lead} />
          <MoreMenu lead={lead} onGone={onGone} onMerged={onMerged} />
        </div>
      </div>
      <NextStep lead={lead} />
    </div>
  );
}
