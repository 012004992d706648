import { isApiError } from '@/api/errors';
import { failedJobs, replayJob } from '@/api/operations';

/** Replays everything that is open, a page at a time; says how many so far, and returns all. */
export async function replayAll(progress: (done: number) => void): Promise<number> {
  let done = 0;
  let cursor: string | null = null;
  do {
    const page = await failedJobs('open', cursor);
    for (const { id } of page.jobs) {
      try {
        await replayJob(id);
        done += 1;
        progress(done);
      } catch (error) {
        // Somebody else was faster.
        if (!isApiError(error, 'already_settled', 'not_found')) throw error;
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
  return done;
}
