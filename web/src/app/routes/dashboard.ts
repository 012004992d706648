import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { dashboardView } from '@/features/dashboard/view';

import { lazy, shellRoute } from './root';

export const dashboardRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/dashboard',
  validateSearch: dashboardView.validate,
  search: { middlewares: [stripSearchParams(dashboardView.defaults)] },
  component: lazy(() => import('@/features/dashboard/page'), 'DashboardPage'),
});
