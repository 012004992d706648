import type { AnyRoute, AnyRouter } from '@tanstack/react-router';

// What the open page itself asks for goes first.
const AFTER_MS = 2_000;

/**
 * Loads the parts of the script of the pages below a route, one at a time and only while the
 * browser has nothing else to do, so that a first visit needn't wait for its part. Returns how to
 * stop it. A browser told to save data loads each part when it is needed.
 */
export function loadPagesWhenIdle(router: AnyRouter, parent: string): () => void {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData === true) return () => undefined;

  const routes = Object.values(router.routesById as Record<string, AnyRoute>);
  const waiting = routes.filter((route) => (route.parentRoute as AnyRoute | null)?.id === parent);
  const next = async () => {
    const route = waiting.shift();
    if (route === undefined) return;
    // One that can't be loaded now is loaded, or explained, when it is opened.
    await Promise.resolve(router.loadRouteChunk(route)).catch(() => undefined);
    whenIdle(() => void next());
  };
  const timer = setTimeout(() => whenIdle(() => void next()), AFTER_MS);
  return () => {
    clearTimeout(timer);
    waiting.length = 0;
  };
}

/** Safari has no idle callbacks; a timer lets what waits go first. */
function whenIdle(act: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(act);
  else setTimeout(act, 50);
}
