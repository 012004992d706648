import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from '@tanstack/react-router';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';

import { makeQueryClient } from '@/api/query';
import { type Me, meQuery } from '@/api/session';
import { Toaster } from '@/components/ui/toast';
import { TooltipProvider } from '@/components/ui/tooltip';
import { parseQuery, writeQuery } from '@/lib/search';

import { someone } from './server';

type Options = {
  /** Who is logged in; Ada by default. */
  me?: Me;
  /** Path and query of the page, with the validation of its view. */
  at?: string;
  path?: string;
  /** False for pages before signing in. */
  shell?: boolean;
  validateSearch?: (raw: never) => object;
};

/** Shows a page as if in the shell: with who is logged in, and an address that can change. */
export function renderPage(page: () => ReactNode, options: Options = {}) {
  const queries: QueryClient = makeQueryClient();
  queries.setDefaultOptions({
    queries: { ...queries.getDefaultOptions().queries, retry: false },
  });
  if (options.shell !== false) queries.setQueryData(meQuery.queryKey, options.me ?? someone());
  const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet });
  const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Outlet });
  const path = options.path ?? '/page';
  const route = createRoute({
    getParentRoute: () => (options.shell === false ? (root as never) : shell),
    path,
    component: page,
    validateSearch: (raw: Record<string, unknown>) =>
      (options.validateSearch?.(raw as never) ?? raw) as Record<string, unknown>,
  });
  const history = createMemoryHistory({ initialEntries: [options.at ?? path] });
  const router = createRouter({
    routeTree:
      options.shell === false
        ? root.addChildren([route as never])
        : root.addChildren([shell.addChildren([route])]),
    history,
    context: { queries },
    parseSearch: parseQuery,
    stringifySearch: writeQuery,
  });
  const shown = render(
    <QueryClientProvider client={queries}>
      <TooltipProvider>
        <RouterProvider router={router as never} />
        <Toaster />
      </TooltipProvider>
    </QueryClientProvider>,
  );
  return { ...shown, queries, router, history };
}
