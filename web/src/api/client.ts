import createClient from 'openapi-fetch';

import { ApiError, errorOf } from './errors';
import type { paths } from './schema';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const SIGNED_OUT = new Set(['missing_key', 'unknown_session', 'expired_session']);
/** Longest wait, in seconds, that is sat out without telling. */
const PATIENCE = 5;

let csrf: string | null = null;
let signInAgain: (() => Promise<boolean>) | null = null;
let asking: Promise<boolean> | null = null;

/** Keeps what changes by cookie must carry; every answer that begins or tells a session has it. */
export function keepCsrf(token: string): void {
  csrf = token;
}

/**
 * Says who asks for the password when a session ends in the middle of work. Calls that failed wait
 * for the answer and go on after it. Answers how to take that back.
 */
export function onSignedOut(ask: () => Promise<boolean>): () => void {
  signInAgain = ask;
  return () => {
    if (signInAgain === ask) signInAgain = null;
  };
}

/** One request: with the CSRF header, in place after a new login, and patient where asked to be. */
export async function send(request: Request): Promise<Response> {
  let response = await once(request);
  if (response.status === 403 && (await codeOf(response)) === 'csrf' && (await renewCsrf())) {
    response = await once(request);
  }
  if (response.status === 401) {
    const code = await codeOf(response);
    // The cookie is a newer one by now.
    if (code === 'session_switched') response = await once(request);
    else if (SIGNED_OUT.has(code) && (await signedInAgain())) response = await once(request);
  }
  for (let tries = 0; tries < 2 && SAFE.has(request.method); tries += 1) {
    const wait = secondsToWait(response);
    if (wait === null) break;
    await pause(wait * 1000, request.signal);
    response = await once(request);
  }
  return response;
}

async function once(request: Request): Promise<Response> {
  const copy = request.clone();
  if (csrf !== null && !SAFE.has(copy.method)) copy.headers.set('X-CSRF-Token', csrf);
  try {
    return await fetch(copy);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError(0, 'network', 'The server can’t be reached. Check the connection.');
  }
}

async function codeOf(response: Response): Promise<string> {
  return (await errorOf(response)).code;
}

// Another window may have begun a new session.
async function renewCsrf(): Promise<boolean> {
  const response = await fetch(new URL('/api/auth/me', location.origin));
  if (!response.ok) return false;
  keepCsrf(((await response.json()) as { csrfToken: string }).csrfToken);
  return true;
}

async function signedInAgain(): Promise<boolean> {
  if (signInAgain === null) return false;
  asking ??= signInAgain().finally(() => {
    asking = null;
  });
  return asking;
}

function secondsToWait(response: Response): number | null {
  if (response.status !== 429 && response.status !== 503) return null;
  const after = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return after >= 0 && after <= PATIENCE ? after : null;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('No longer wanted.', 'AbortError'));
    });
  });
}

/** Every call of contract/openapi.json, typed. Any answer but a good one throws an ApiError. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: send });

client.use({
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
  },
});

/** The body of an answer: `await answer(client.GET('/api/leaderboard'))`. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  // Without a body where there is none to be had (204), which T says then.
  return (await call).data as T;
}

type Asked = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  signal?: AbortSignal;
};

/** A call whose shape the caller knows better than contract/openapi.json. */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  const init: RequestInit = { method: asked.method ?? 'GET' };
  if (asked.signal !== undefined) init.signal = asked.signal;
  if (asked.body !== undefined) {
    init.body = JSON.stringify(asked.body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await send(new Request(url, init));
  if (!response.ok) throw await errorOf(response);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
