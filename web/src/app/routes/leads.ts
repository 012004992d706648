import { createRoute, stripSearchParams } from '@tanstack/react-router';

import { importView, leadsView, leadView } from '@/features/leads/view';

import { lazy, shellRoute } from './root';

export const leadsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/leads',
  validateSearch: leadsView.validate,
  search: { middlewares: [stripSearchParams(leadsView.defaults)] },
  component: lazy(() => import('@/features/leads/page'), 'LeadsPage'),
});

export const importRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/leads/import',
  validateSearch: importView.validate,
  component: lazy(() => import('@/features/leads/import-page'), 'ImportPage'),
});

export const leadRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/leads/$leadId',
  validateSearch: leadView.validate,
  component: lazy(() => import('@/features/leads/lead-page'), 'LeadPage'),
});
