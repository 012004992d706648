import { leaderboardRoute } from './leaderboard';
import { rootRoute, shellRoute } from './root';

export const routeTree = rootRoute.addChildren([shellRoute.addChildren([leaderboardRoute])]);
