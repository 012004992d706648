import { STAGES, type Stage } from '@/api/leads';

export type Step = {
  stage: Stage;
  /** Leads that are in it now. */
  here: number;
  /** Leads that are in it or beyond. */
  reached: number;
  /** Which share of those in the stage before or beyond; null for the first. */
  conversion: { from: Stage; share: number | null } | null;
};

/** How far leads have come, from the counts of each stage. */
export function reached(counts: Record<Stage, number>): Step[] {
  const beyond = STAGES.map((_, index) =>
    STAGES.slice(index).reduce((sum, stage) => sum + counts[stage], 0),
  );
  return STAGES.map((stage, index) => {
    const from = STAGES[index - 1];
    const [before = 0, here = 0] = [beyond[index - 1], beyond[index]];
    return {
      stage,
      here: counts[stage],
      reached: here,
      conversion: from === undefined ? null : { from, share: before === 0 ? null : here / before },
    };
  });
}
