import { oneOf, search } from '@/lib/search';

export const SIZES = ['10', '25', '50', '100'] as const;

/** What of the leaderboard stands in its address. */
export const leaderboardView = search({ top: oneOf(SIZES, '25') });
