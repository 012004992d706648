import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  Outlet,
  redirect,
  type RouteComponent,
} from '@tanstack/react-router';

import { isApiError } from '@/api/errors';
import { meQuery } from '@/api/session';

import { AddressUnknown } from '../pages';
import { Shell } from '../shell/shell';

export type RouterContext = { queries: QueryClient };

export const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: AddressUnknown,
});

/** Everything for who is logged in stands inside. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.query({ ...meQuery, staleTime: 'static' });
    } catch (error) {
      if (!isApiError(error) || error.status !== 401) throw error;
      throw redirect({ href: `/login?next=${encodeURIComponent(location.href)}`, replace: true });
    }
  },
  component: Shell,
});

/**
 * A component that is loaded when its page is opened. That its type says no more keeps the types of
 * routes, which pages ask for what is in their address, from asking the pages in turn.
 */
export function lazy<Name extends string>(
  load: () => Promise<Record<Name, unknown>>,
  name: Name,
): RouteComponent {
  return lazyRouteComponent(load as () => Promise<Record<Name, RouteComponent>>, name);
}
