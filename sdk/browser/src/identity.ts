import { random } from "./ids";
import { getObject, remove, setObject } from "./storage";

/** Who all tabs of this browser say that the visitor is. */
export interface Visitor {
  anonymousId: string;
  userId?: string;
  email?: string;
  userHash?: string;
}

// What a page says that doesn't know its user: as an id it would make one person of many.
const NOBODY = /^(|null|undefined|none|nan|true|false|0|anonymous|guest|unknown|\[object object\])$/i;

export function visitor(): Visitor {
  let known = getObject("visitor") as Visitor | undefined;
  if (!known?.anonymousId) {
    known = { anonymousId: random() };
    setObject("visitor", known);
  }
  return known;
}

/** Forgets who it is: the next event is somebody else's, in a session of his own. */
export function forget(): void {
  remove("visitor");
  remove("session");
}

/** Takes up an email or userId; false where it names nobody. */
export function become(given: unknown, userHash?: string): boolean {
  const name = typeof given === "string" || typeof given === "number" ? String(given).trim() : "";
  if (NOBODY.test(name)) return false;
  const isEmail = name.includes("@");
  const id = isEmail ? name.toLowerCase() : name;
  const known = visitor()[isEmail ? "email" : "userId"];
  // Somebody else at this browser: what the last one did is not his.
  if (known && known !== id) forget();
  const { anonymousId } = visitor();
  setObject("visitor", { anonymousId, [isEmail ? "email" : "userId"]: id, userHash });
  return true;
}
