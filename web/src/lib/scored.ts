type StageFrom<S extends string> = { name: S; from: number };
type RuleLike = {
  id: string;
  name: string;
  eventType: string;
  active: boolean;
  trust: 'any' | 'server';
};
type Told = {
  eventType: string;
  trusted: boolean;
  scored: { rules: readonly { id: string }[] } | null;
};

/** The stage that a score is in. */
export function stageOf<S extends string>(
  score: number,
  stages: readonly StageFrom<S>[],
): S | null {
  const reached = stages.filter(({ from }) => score >= from);
  return reached.length === 0
    ? null
    : reached.reduce((highest, stage) => (stage.from >= highest.from ? stage : highest)).name;
}

/** Rules for this type that gave nothing, and why as far as one can see. */
export function silentRules(
  event: Told,
  rules: readonly RuleLike[],
): { id: string; name: string; why: string }[] {
  const gave = new Set(event.scored?.rules.map(({ id }) => id));
  return rules
    .filter((rule) => rule.eventType === event.eventType && rule.active && !gave.has(rule.id))
    .map(({ id, name, trust }) => ({
      id,
      name,
      why:
        trust === 'server' && !event.trusted
          ? 'counts trusted events only'
          : 'did not apply, or its cap was reached',
    }));
}
