import { createRoute, redirect, stripSearchParams } from '@tanstack/react-router';

import { settingsView } from '@/features/settings/view';

import { lazy, shellRoute } from './root';

export const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings/$section',
  validateSearch: settingsView.validate,
  search: { middlewares: [stripSearchParams(settingsView.defaults)] },
  component: lazy(() => import('@/features/settings/page'), 'SettingsPage'),
});

export const settingsStartRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$section', params: { section: 'project' }, replace: true });
  },
});
