import { queryOptions } from '@tanstack/react-query';

import { answer, client } from './client';
import { keys } from './keys';
import type { components } from './schema';

export type Notification = components['schemas']['Notification'];

/** Leads that became hot or qualified: mine that I haven't seen first. */
export const notificationsQuery = queryOptions({
  queryKey: keys.notifications,
  queryFn: ({ signal }) =>
    answer(client.GET('/api/notifications', { params: { query: { limit: 30 } }, signal })),
});

export function sawUntil(seenUntil: string) {
  return answer(client.POST('/api/notifications', { body: { seenUntil } }));
}
