import { dashboardRoute } from './dashboard';
import { entryRoutes } from './entry';
import { eventsRoute } from './events';
import { integrationsRoute } from './integrations';
import { leaderboardRoute } from './leaderboard';
import { importRoute, leadRoute, leadsRoute } from './leads';
import { rootRoute, shellRoute } from './root';
import { scoringRoute } from './scoring';
import { settingsRoute, settingsStartRoute } from './settings';
import { simulatorRoute } from './simulator';
import { systemRoute } from './system';

export const routeTree = rootRoute.addChildren([
  ...entryRoutes,
  shellRoute.addChildren([
    dashboardRoute,
    eventsRoute,
    importRoute,
    integrationsRoute,
    leaderboardRoute,
    leadRoute,
    leadsRoute,
    scoringRoute,
    settingsRoute,
    settingsStartRoute,
    simulatorRoute,
    systemRoute,
  ]),
]);
