import type { StageName } from '@/components/ui/badge';

/** What the example's person can do: event types and points of the standard model. */
export const ACTS = {
  page_view: { label: 'Reads a page', points: 5, most: 15 },
  pricing_page_visit: { label: 'Looks at prices', points: 15, most: Infinity },
  signup: { label: 'Signs up', points: 30, most: Infinity },
  demo_request: { label: 'Asks for a demo', points: 50, most: Infinity },
} as const;
export type Act = keyof typeof ACTS;

export type Story = { acts: readonly Act[]; idleDays: number };
export type Reason = { act: Act; times: number; points: number; capped: boolean };
export type Told = {
  score: number;
  stage: StageName;
  reasons: Reason[];
  decay: number;
  action: string;
};

const DECAY = { factor: 0.95, afterDays: 7 };
const STAGES: [StageName, number][] = [
  ['qualified', 60],
  ['hot', 31],
  ['warm', 11],
];

/** The score of the example, by the rules that a project starts with. */
export function told({ acts, idleDays }: Story): Told {
  const reasons = (Object.keys(ACTS) as Act[])
    .map((act) => {
      const times = acts.filter((done) => done === act).length;
      const full = times * ACTS[act].points;
      return { act, times, points: Math.min(full, ACTS[act].most), capped: full > ACTS[act].most };
    })
    .filter(({ times }) => times > 0);
  const sum = reasons.reduce((all, { points }) => all + points, 0);
  const score = sum * DECAY.factor ** Math.max(0, idleDays - DECAY.afterDays);
  const stage = STAGES.find(([, from]) => score >= from)?.[0] ?? 'cold';
  return {
    score,
    stage,
    reasons,
    decay: score - sum,
    action: nextAction(stage, acts.length, idleDays),
  };
}

function nextAction(stage: StageName, acts: number, idleDays: number): string {
  const [silent, active] = [idleDays > 14, idleDays === 0 && acts > 0];
  if (stage === 'qualified' && active) return 'Call now';
  if (stage === 'hot' && idleDays <= 7) return 'Offer a demo';
  if (stage === 'warm' && !silent) return 'Keep in touch by mail';
  if (silent && acts > 0) return 'Win back: silent for too long';
  if (stage === 'qualified') return 'Call this week';
  return stage === 'hot' ? 'Follow up' : 'Wait and see';
}
