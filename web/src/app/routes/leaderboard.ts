import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { leaderboardView } from '@/features/leaderboard/view';

import { lazy, shellRoute } from './root';

export const leaderboardRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/leaderboard',
  validateSearch: leaderboardView.validate,
  search: { middlewares: [stripSearchParams(leaderboardView.defaults)] },
  component: lazy(() => import('@/features/leaderboard/page'), 'LeaderboardPage'),
});
