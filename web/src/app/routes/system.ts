import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { systemView } from '@/features/system/view';

import { lazy, shellRoute } from './root';

export const systemRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/system',
  validateSearch: systemView.validate,
  search: { middlewares: [stripSearchParams(systemView.defaults)] },
  component: lazy(() => import('@/features/system/page'), 'SystemPage'),
});
