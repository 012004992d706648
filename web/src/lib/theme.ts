import { store, useStore } from './store';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'leadpulse.theme';
const chosen = store<Theme>(read());
/** What is shown: light or dark, whatever was chosen. */
const shown = store<'light' | 'dark'>(
  document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light',
);

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

function apply(): void {
  const theme = chosen.get();
  const dark =
    theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document
    .querySelector('meta[name="theme-color"]')
    ?.setAttribute('content', dark ? '#0f0f12' : '#ffffff');
  shown.set(dark ? 'dark' : 'light');
}

/** Follows the system and other windows; called once. */
export function watchTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  addEventListener('storage', (event) => {
    if (event.key !== KEY) return;
    chosen.set(read());
    apply();
  });
  apply();
}

export function chooseTheme(theme: Theme): void {
  chosen.set(theme);
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // It holds for this window then.
  }
  apply();
}

export function useTheme(): Theme {
  return useStore(chosen);
}

/** For what is drawn on a canvas. */
export function useShownTheme(): 'light' | 'dark' {
  return useStore(shown);
}
