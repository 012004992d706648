import { useEffect, useState, useSyncExternalStore } from 'react';

import { store, useStore } from './store';

const clock = store(Date.now());
let watchers = 0;
let ticking: ReturnType<typeof setInterval> | undefined;

/** The present, renewed every ten seconds while somebody looks. */
export function useNow(): number {
  useEffect(() => {
    watchers += 1;
    clock.set(Date.now());
    ticking ??= setInterval(() => clock.set(Date.now()), 10_000);
    return () => {
      watchers -= 1;
      if (watchers === 0) {
        clearInterval(ticking);
        ticking = undefined;
      }
    };
  }, []);
  return useStore(clock);
}

/** The value, once it has stood for a while. */
export function useSettled<T>(value: T, milliseconds = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
    () => false,
  );
}

/** A phone, or a window as narrow as one. */
export function useNarrow(): boolean {
  return useMedia('(max-width: 767px)');
}

/** Names the window while a page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === '' ? 'LeadPulse' : `${title} · LeadPulse`;
  }, [title]);
}
