/** When an event reached each stage of its way, as the server measured it. */
export type Times = {
  receivedAt: string;
  committedAt: string | null;
  claimedAt: string | null;
  scoredAt: string | null;
  deliveredAt: string | null;
};

export const STAGE_NAMES = ['accepted', 'durable', 'claimed', 'folded', 'delivered'] as const;
export type PipelineStage = (typeof STAGE_NAMES)[number];

export type PipelineStep = {
  stage: PipelineStage;
  at: string | null;
  /** Milliseconds since the stage before that is known, and since the first. */
  took: number | null;
  since: number | null;
  /** unknown: it is past this, but nobody wrote down when. */
  state: 'done' | 'waits' | 'ahead' | 'unknown';
};

/** Microseconds since 1970 of a time as the server writes it, which Date cuts to milliseconds. */
export function micros(at: string): number {
  const fraction = /\.(\d+)/.exec(at)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(at) / 1000);
  return seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** The five stages, each with how long it took since the one before. */
export function pipelineSteps(times: Times): PipelineStep[] {
  const ats: (string | null)[] = [
    times.receivedAt,
    times.committedAt,
    times.claimedAt,
    times.scoredAt,
    times.deliveredAt,
  ];
  const last = ats.findLastIndex((at) => at !== null);
  const start = micros(times.receivedAt);
  let before = start;
  return STAGE_NAMES.map((stage, index) => {
    const at = ats[index] ?? null;
    if (at === null) {
      const state = index < last ? 'unknown' : index === last + 1 ? 'waits' : 'ahead';
      return { stage, at, took: null, since: null, state };
    }
    // Two clocks of one machine may differ by a little: nothing takes less than no time.
    const now = Math.max(micros(at), before);
    const took = (now - before) / 1000;
    before = now;
    return { stage, at, took, since: (now - start) / 1000, state: 'done' };
  });
}

/** From the first stage to the last one that is known, in milliseconds. */
export function pipelineTotal(steps: readonly PipelineStep[]): number {
  return Math.max(0, ...steps.map(({ since }) => since ?? 0));
}
