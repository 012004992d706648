import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { simulatorView } from '@/features/simulator/view';

import { lazy, shellRoute } from './root';

export const simulatorRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/simulator',
  validateSearch: simulatorView.validate,
  search: { middlewares: [stripSearchParams(simulatorView.defaults)] },
  component: lazy(() => import('@/features/simulator/page'), 'SimulatorPage'),
});
