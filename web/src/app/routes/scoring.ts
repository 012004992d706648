import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { scoringView } from '@/features/scoring/view';

import { lazy, shellRoute } from './root';

export const scoringRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/scoring',
  validateSearch: scoringView.validate,
  search: { middlewares: [stripSearchParams(scoringView.defaults)] },
  component: lazy(() => import('@/features/scoring/page'), 'ScoringPage'),
});
