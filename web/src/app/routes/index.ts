import { dashboardRoute } from './dashboard';
import { entryRoutes } from './entry';
import { leaderboardRoute } from './leaderboard';
import { importRoute, leadRoute, leadsRoute } from './leads';
import { rootRoute, shellRoute } from './root';

export const routeTree = rootRoute.addChildren([
  ...entryRoutes,
  shellRoute.addChildren([dashboardRoute, leaderboardRoute, leadsRoute, importRoute, leadRoute]),
]);
