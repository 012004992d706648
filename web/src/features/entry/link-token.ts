type Page = 'verify-email' | 'reset-password' | 'accept-invitation';

/**
 * The token of a mailed link. It stands behind the # of the address, which no server sees; from there
 * it goes into this window's memory, so that it doesn't stay in the history and outlives signing in.
 */
export function linkToken(page: Page): string | null {
  const key = `leadpulse.link.${page}`;
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  try {
    if (token !== null) sessionStorage.setItem(key, token);
    return token ?? sessionStorage.getItem(key);
  } catch {
    return token;
  }
}

/** Takes the token out of the address. */
export function hideToken(): void {
  if (location.hash.includes('token=')) {
    history.replaceState(history.state, '', location.pathname + location.search);
  }
}

/** It has done its work. */
export function forgetToken(page: Page): void {
  try {
    sessionStorage.removeItem(`leadpulse.link.${page}`);
  } catch {
    // It was never kept.
  }
}
