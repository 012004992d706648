import { store } from '@/lib/store';

export type Sent = { id: string; eventType: string; whom: string; at: number; test: boolean };

/** So many are kept of what was sent since the app was opened. */
const KEPT = 50;

/** What was sent in this visit, the newest first; by project. */
export const sentEvents = store<ReadonlyMap<string, readonly Sent[]>>(new Map());

export function keepSent(projectId: string, sent: Sent): void {
  sentEvents.set((now) => {
    const before = (now.get(projectId) ?? []).filter(({ id }) => id !== sent.id);
    return new Map(now).set(projectId, [sent, ...before].slice(0, KEPT));
  });
}
