import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { eventsView } from '@/features/events/view';

import { lazy, shellRoute } from './root';

export const eventsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/events',
  validateSearch: eventsView.validate,
  search: { middlewares: [stripSearchParams(eventsView.defaults)] },
  component: lazy(() => import('@/features/events/page'), 'EventsPage'),
});
