import {
  BadgeCheck,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  CircleX,
  Flame,
  type LucideIcon,
  Snowflake,
  Sun,
  UserRoundCheck,
} from 'lucide-react';
import type { ReactNode } from 'react';

import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

const TONES = {
  neutral: 'bg-cold-soft text-cold-text',
  accent: 'bg-accent-soft text-accent-text',
  good: 'bg-good-soft text-good-text',
  warn: 'bg-warn-soft text-warn-text',
  danger: 'bg-danger-soft text-danger-text',
  cold: 'bg-cold-soft text-cold-text',
  warm: 'bg-warm-soft text-warm-text',
  hot: 'bg-hot-soft text-hot-text',
  qualified: 'bg-qualified-soft text-qualified-text',
} as const;
export type Tone = keyof typeof TONES;

type BadgeProps = {
  tone?: Tone;
  icon?: LucideIcon;
  title?: string;
  className?: string;
  children: ReactNode;
};

export function Badge({ tone = 'neutral', icon: Icon, title, className, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={cn(
        'inline-flex h-5 max-w-full items-center gap-1 rounded-sm px-1.5 align-middle text-xs font-medium whitespace-nowrap',
        TONES[tone],
        className,
      )}
    >
      {Icon && <Icon aria-hidden className="size-3 shrink-0" strokeWidth={2.25} />}
      <span className="truncate">{children}</span>
    </span>
  );
}

export type StageName = 'cold' | 'warm' | 'hot' | 'qualified';
export const STAGE: Record<StageName, { label: string; icon: LucideIcon; color: string }> = {
  cold: { label: 'Cold', icon: Snowflake, color: 'var(--cold)' },
  warm: { label: 'Warm', icon: Sun, color: 'var(--warm)' },
  hot: { label: 'Hot', icon: Flame, color: 'var(--hot)' },
  qualified: { label: 'Qualified', icon: BadgeCheck, color: 'var(--qualified)' },
};

export function StageBadge({ stage, className }: { stage: StageName; className?: string }) {
  const { label, icon } = STAGE[stage];
  return (
    <Badge tone={stage} icon={icon} className={className}>
      {label}
    </Badge>
  );
}

export type RiskName = 'low' | 'medium' | 'high';
const RISK: Record<RiskName, { label: string; bars: number; color: string }> = {
  low: { label: 'Low', bars: 1, color: 'text-muted' },
  medium: { label: 'Medium', bars: 2, color: 'text-warn-text' },
  high: { label: 'High', bars: 3, color: 'text-danger-text' },
};

/** How likely a lead is to be lost by silence. */
export function RiskBadge({ risk, className }: { risk: RiskName | null; className?: string }) {
  if (risk === null) {
    return (
      <span className={cn('text-xs text-faint', className)} title="Has done nothing yet">
        –
      </span>
    );
  }
  const { label, bars, color } = RISK[risk];
  return (
    <span className={cn('inline-flex items-center gap-1.5 align-middle text-xs', color, className)}>
      <svg aria-hidden viewBox="0 0 12 12" className="size-3">
        {[1, 2, 3].map((bar) => (
          <rect
            key={bar}
            x={(bar - 1) * 4.5}
            y={12 - bar * 4}
            width={3}
            height={bar * 4}
            rx={1}
            fill="currentColor"
            opacity={bar <= bars ? 1 : 0.25}
          />
        ))}
      </svg>
      {label}
      <span className="sr-only"> risk</span>
    </span>
  );
}

export type StatusName = 'open' | 'working' | 'won' | 'lost' | 'disqualified';
export const STATUS: Record<StatusName, { label: string; icon: LucideIcon; tone: Tone }> = {
  open: { label: 'Open', icon: CircleDashed, tone: 'neutral' },
  working: { label: 'Working', icon: UserRoundCheck, tone: 'accent' },
  won: { label: 'Won', icon: CircleCheck, tone: 'good' },
  lost: { label: 'Lost', icon: CircleX, tone: 'danger' },
  disqualified: { label: 'Disqualified', icon: CircleSlash, tone: 'neutral' },
};

/** How far the sale is. */
export function StatusBadge({ status, className }: { status: StatusName; className?: string }) {
  const { label, icon, tone } = STATUS[status];
  return (
    <Badge tone={tone} icon={icon} className={className}>
      {label}
    </Badge>
  );
}

/** A change of a score, with its sign. */
export function Delta({ value, className }: { value: number; className?: string }) {
  const rounded = Math.round(value * 10) / 10;
  return (
    <span
      className={cn(
        'text-sm font-medium tabular',
        rounded > 0 ? 'text-good-text' : rounded < 0 ? 'text-danger-text' : 'text-muted',
        className,
      )}
    >
      {format.delta(value)}
    </span>
  );
}
