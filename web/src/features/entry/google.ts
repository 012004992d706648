import { randomId } from '@/lib/ids';

/**
 * Signing in with Google without a script of theirs, which the pages' policy would not let in: the
 * browser goes to Google, and comes back to /login with an ID token behind the # of the address.
 */
const KEY = 'leadpulse.google';

type Asked = { state: string; nonce: string; next: string };

export function googleUrl(clientId: string, asked: Asked): string {
  const url = new URL('https://accounts.google.com/o/oauth2/v2/auth');
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${location.origin}/login`,
    response_type: 'id_token',
    scope: 'openid email profile',
    prompt: 'select_account',
    state: asked.state,
    nonce: asked.nonce,
  }).toString();
  return url.href;
}

export function goToGoogle(clientId: string, next: string): void {
  const asked = { state: randomId(), nonce: randomId(), next };
  sessionStorage.setItem(KEY, JSON.stringify(asked));
  location.assign(googleUrl(clientId, asked));
}

export type FromGoogle = { idToken: string; next: string } | { error: string };

const STRANGE = 'This answer of Google belongs to no question of this window. Please try again.';

/** What Google has sent back; null when nobody comes from there. */
export function fromGoogle(hash: string, stored: string | null): FromGoogle | null {
  const told = new URLSearchParams(hash.slice(1));
  const [idToken, error] = [told.get('id_token'), told.get('error')];
  if (idToken === null && error === null) return null;
  const asked = stored === null ? null : (JSON.parse(stored) as Asked);
  if (asked === null) return { error: STRANGE };
  if (told.get('state') !== asked.state) return { error: STRANGE };
  if (idToken === null) {
    return {
      error:
        error === 'access_denied'
          ? 'Signing in with Google was cancelled.'
          : 'Google could not sign you in.',
    };
  }
  if (nonceOf(idToken) !== asked.nonce)
    return { error: 'Google’s answer is an old one. Please try again.' };
  return { idToken, next: asked.next };
}

export function takeFromGoogle(): FromGoogle | null {
  const answer = fromGoogle(location.hash, sessionStorage.getItem(KEY));
  if (answer !== null) {
    sessionStorage.removeItem(KEY);
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return answer;
}

function nonceOf(token: string): string | null {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    return (JSON.parse(atob(body)) as { nonce?: string }).nonce ?? null;
  } catch {
    return null;
  }
}
