/**
 * localStorage of this project; what it refuses (blocked, full) is held in memory.
 * A name stands in one of the two, and the memory is asked first.
 */
import { options } from "./options";

const memory = new Map<string, string>();

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function prefix(): string {
  return `ls.${options.apiKey.slice(3, 15)}.`;
}

export function get(name: string): string | null {
  return memory.get(name) ?? attempt(() => localStorage.getItem(prefix() + name)) ?? null;
}

export function set(name: string, value: string): void {
  memory.delete(name);
  try {
    localStorage.setItem(prefix() + name, value);
  } catch {
    memory.set(name, value);
  }
}

export function remove(name: string): void {
  memory.delete(name);
  attempt(() => {
    localStorage.removeItem(prefix() + name);
  });
}

/** What begins so, in order. */
export function names(start: string): string[] {
  const whole = prefix() + start;
  const stored = attempt(() => Object.keys(localStorage)) ?? [];
  return stored
    .filter((name) => name.startsWith(whole))
    .map((name) => name.slice(prefix().length))
    .concat([...memory.keys()].filter((name) => name.startsWith(start)))
    .sort();
}

/** A stored object; nothing where something else wrote over it. */
export function getObject(name: string): unknown {
  return attempt(() => JSON.parse(get(name) ?? "") as unknown) ?? undefined;
}

export function setObject(name: string, value: object): void {
  set(name, JSON.stringify(value));
}
