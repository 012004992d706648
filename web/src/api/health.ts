import { queryOptions } from '@tanstack/react-query';

import { send } from './client';
import { errorOf } from './errors';
import { keys } from './keys';
import type { components } from './schema';

export type Health = components['schemas']['Health'];

export const healthQuery = queryOptions({
  queryKey: keys.health,
  queryFn: async ({ signal }) => {
    const response = await send(new Request(new URL('/api/health', location.origin), { signal }));
    // 503 says how it is, too.
    if (!response.ok && response.status !== 503) throw await errorOf(response);
    return (await response.json()) as Health;
  },
  refetchInterval: 15_000,
  retry: false,
});
