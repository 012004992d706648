import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { integrationsView } from '@/features/integrations/view';

import { lazy, shellRoute } from './root';

export const integrationsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/integrations',
  validateSearch: integrationsView.validate,
  search: { middlewares: [stripSearchParams(integrationsView.defaults)] },
  component: lazy(() => import('@/features/integrations/page'), 'IntegrationsPage'),
});
