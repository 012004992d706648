import { CircleCheck, CircleSlash, Hourglass, type LucideIcon, PauseCircle } from 'lucide-react';

import type { Event } from '@/api/events';
import { Badge, type Tone } from '@/components/ui/badge';

const STATUS: Record<
  Event['status'],
  { label: string; icon: LucideIcon; tone: Tone; means: string }
> = {
  queued: { label: 'Queued', icon: Hourglass, tone: 'warn', means: 'Waits to be scored' },
  scored: { label: 'Scored', icon: CircleCheck, tone: 'good', means: 'Counts in the score' },
  held: {
    label: 'Held',
    icon: PauseCircle,
    tone: 'danger',
    means: 'Its lead sends more than a lead can; an admin can release it under System',
  },
  excluded: {
    label: 'Excluded',
    icon: CircleSlash,
    tone: 'neutral',
    means: 'Was discarded and counts in nothing',
  },
};

/** How far an event is. */
export function EventStatus({ status }: { status: Event['status'] }) {
  const { label, icon, tone, means } = STATUS[status];
  return (
    <Badge tone={tone} icon={icon} title={means}>
      {label}
    </Badge>
  );
}

export function TestBadge() {
  return (
    <Badge tone="accent" title="A test event: its lead stands in no list and no figure">
      Test
    </Badge>
  );
}
