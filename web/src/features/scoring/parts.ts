import type { ModelParts } from '@/api/model';

import type { Check } from './check';

/** What every tab is given: the edited model, how to change it, what is wrong, and whether one may. */
export type TabProps = {
  model: ModelParts;
  base: ModelParts;
  edit: (change: (model: ModelParts) => ModelParts) => void;
  problem: Check['problem'];
  /** Nothing can be changed. */
  locked: boolean;
};
