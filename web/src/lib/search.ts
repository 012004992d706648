import type { SearchSchemaInput } from '@tanstack/react-router';

/**
 * The state of a view as it stands in its address.
 *
 * A view says what it keeps there: `const view = search({ q: text(), sort: oneOf(SORTS, 'score') })`.
 * What is missing or makes no sense is its default, and a default isn't written, so an address is as
 * short as can be and an old or mangled one still opens the view.
 */
export type Param<T> = { read: (raw: unknown) => T; fallback: T };

export function text(fallback = '', longest = 500): Param<string> {
  return {
    fallback,
    read: (raw) =>
      typeof raw === 'string' || typeof raw === 'number' ? String(raw).slice(0, longest) : fallback,
  };
}

export function maybeText(longest = 500): Param<string | undefined> {
  return {
    fallback: undefined,
    read: (raw) => {
      const value = typeof raw === 'string' || typeof raw === 'number' ? String(raw) : '';
      return value === '' ? undefined : value.slice(0, longest);
    },
  };
}

export function maybeNumber(): Param<number | undefined> {
  return {
    fallback: undefined,
    read: (raw) => {
      const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    },
  };
}

export function flag(fallback = false): Param<boolean> {
  return {
    fallback,
    read: (raw) => {
      if (raw === true || raw === 'true' || raw === '1') return true;
      return raw === false || raw === 'false' || raw === '0' ? false : fallback;
    },
  };
}

export function oneOf<const T extends string>(values: readonly T[], fallback: T): Param<T> {
  return { fallback, read: (raw) => values.find((value) => value === raw) ?? fallback };
}

export function maybeOneOf<const T extends string>(values: readonly T[]): Param<T | undefined> {
  return { fallback: undefined, read: (raw) => values.find((value) => value === raw) };
}

/** Some of these, in this order; written with commas between them. */
export function someOf<const T extends string>(values: readonly T[]): Param<T[]> {
  return {
    fallback: [],
    read: (raw) => {
      const given = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : [];
      return values.filter((value) => given.includes(value));
    },
  };
}

type Params = Record<string, Param<unknown>>;
export type View<P extends Params> = { [K in keyof P]: P[K] extends Param<infer T> ? T : never };

export type Search<P extends Params> = {
  /** What is in an address, made valid. */
  read: (raw: Record<string, unknown>) => View<P>;
  /** The same for the route, which so knows what links may say. */
  validate: (raw: Partial<View<P>> & SearchSchemaInput) => View<P>;
  /** The same without what is as by default. */
  strip: (view: Record<string, unknown>) => Record<string, unknown>;
  defaults: View<P>;
};

export function search<P extends Params>(params: P): Search<P> {
  const names = Object.keys(params);
  const defaults = Object.fromEntries(names.map((name) => [name, params[name]?.fallback]));
  const read = (raw: Record<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, params[name]?.read(raw[name])])) as View<P>;
  return {
    defaults: defaults as View<P>,
    read,
    validate: (raw) => read(raw),
    strip: (view) =>
      Object.fromEntries(
        Object.entries(view).filter(([name, value]) => {
          const fallback = defaults[name];
          if (Array.isArray(value) && Array.isArray(fallback)) {
            return value.join() !== fallback.join();
          }
          return value !== undefined && value !== fallback;
        }),
      ),
  };
}

/** "?a=1&b=x%2Cy" → {a: "1", b: "x,y"} */
export function parseQuery(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

/** The opposite, "" for nothing; lists by commas. */
export function writeQuery(view: Record<string, unknown>): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (value === undefined || value === null) continue;
    const one = Array.isArray(value) ? value.join(',') : scalar(value);
    if (one !== '') written.set(name, one);
  }
  const query = written.toString().replaceAll('%2C', ',');
  return query === '' ? '' : `?${query}`;
}

function scalar(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
