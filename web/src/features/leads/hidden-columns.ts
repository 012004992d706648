import { store, useStore } from '@/lib/store';

const NAME = 'leadpulse.leads.hidden-columns';
const AT_FIRST = ['createdAt'];

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(NAME) ?? 'null');
    return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : AT_FIRST;
  } catch {
    // Storage can be forbidden, or hold what another version wrote.
    return AT_FIRST;
  }
}

const hiddenColumns = store(read());

/** Which columns one does not want to see, kept in this browser. */
export function useHiddenColumns() {
  return {
    hidden: useStore(hiddenColumns),
    setHidden: (hidden: string[]) => {
      hiddenColumns.set(hidden);
      try {
        localStorage.setItem(NAME, JSON.stringify(hidden));
      } catch {
        // Then they are hidden until the page is left.
      }
    },
  };
}
