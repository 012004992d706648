import { random } from "./ids";
import { getObject, setObject } from "./storage";
import { touch, type Touch } from "./touch";

const IDLE = 30 * 60_000;

export interface Session {
  id: string;
  /** When something was last done in it. */
  at: number;
  touch: Touch;
}

/** The session that something done now belongs to, shared by all tabs. */
export function session(now: number): Session {
  const last = getObject("session") as Session | undefined;
  // A clock that was set back by more than that can't tell either.
  const goes = last?.id && Math.abs(now - last.at) <= IDLE ? last : undefined;
  const current = { id: goes?.id ?? random(), at: now, touch: touch(goes?.touch) };
  setObject("session", current);
  return current;
}
