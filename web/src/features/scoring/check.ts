import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { type ApiError, isApiError } from '@/api/errors';
import { keys } from '@/api/keys';
import { type ModelParts, previewModel, type Publication, type Scope } from '@/api/model';
import { useSettled } from '@/lib/hooks';

import { type Named, same } from './model';
import type { Tab } from './view';

export type Problem = { field: string; message: string };

export type Check = {
  /** What publishing would concern; undefined until it is known. */
  concerns: Publication | undefined;
  problems: readonly Problem[];
  /** What is wrong with a field, as the server says it. */
  problem: (field: string) => string | undefined;
  /** Why the server could not tell. */
  error: ApiError | null;
  busy: boolean;
};

/** Has the server look at the edited model, whenever the person has stopped typing. */
export function useCheck(
  model: ModelParts,
  base: Named,
  { scope = 'from-now', enabled }: { scope?: Scope; enabled: boolean },
): Check {
  const settled = useSettled(model, 350);
  const found = useQuery({
    queryKey: keys.model.part('check', { base: base.version, scope, model: settled }),
    queryFn: async ({ signal }) => {
      try {
        const how = { basedOn: base.version, scope, signal };
        return { concerns: await previewModel(settled, how), problems: [] };
      } catch (error) {
        // What is wrong with it is an answer, too.
        if (!isApiError(error) || error.errors.length === 0) throw error;
        return { concerns: undefined, problems: error.errors };
      }
    },
    enabled: enabled && !same(settled, base.model),
    // What was wrong a moment ago stays beside its field until more is known.
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 10_000,
  });
  const problems = enabled ? (found.data?.problems ?? []) : [];
  const { error } = found;
  return {
    concerns: enabled && !found.isPlaceholderData ? found.data?.concerns : undefined,
    problems,
    problem: (field) => problems.find((one) => one.field === field)?.message,
    error: enabled && isApiError(error) && error.code !== 'model_changed' ? error : null,
    busy: enabled && (found.isFetching || settled !== model),
  };
}

/** On which tab a field stands. */
export function tabOf(field: string): Tab {
  const part = /^[a-zA-Z]+/.exec(field)?.[0] ?? '';
  const tabs: Record<string, Tab> = {
    stages: 'stages',
    bounds: 'stages',
    decay: 'decay',
    velocity: 'velocity',
    risk: 'velocity',
    notActivity: 'velocity',
    nextActions: 'actions',
  };
  return tabs[part] ?? 'rules';
}

/** Which rule a field is of, by its place in the list. */
export function ruleOf(field: string): number | null {
  const found = /^rules\[(\d+)\]/.exec(field);
  return found === null ? null : Number(found[1]);
}
