import type { QueueHealth } from '@/api/figures';

/** How long, in seconds, an event may wait before it is worth a word. */
const PATIENCE = 10;

/** How the queue is, and the word for it. */
export function queueState(
  queue: Pick<QueueHealth, 'workers' | 'failed' | 'oldestSeconds' | 'waiting'>,
): { how: 'good' | 'busy' | 'bad'; told: string } {
  if (queue.workers === 0) return { how: 'bad', told: 'No scorer runs' };
  if (queue.failed > 0) return { how: 'bad', told: 'Dead letters' };
  if (queue.waiting > 0 && queue.oldestSeconds > PATIENCE) return { how: 'busy', told: 'Behind' };
  return { how: 'good', told: 'Up to date' };
}
