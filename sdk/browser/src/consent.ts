import { options } from "./options";
import { get, names, remove, set } from "./storage";

/** Whether the browser asks not to be watched. */
function asked(): boolean {
  const said = navigator as { doNotTrack?: unknown; globalPrivacyControl?: unknown };
  return said.doNotTrack === "1" || said.globalPrivacyControl === true;
}

/** Whether anything may be kept and sent. What the visitor said here goes before all else. */
export function allowed(): boolean {
  const said = get("consent");
  if (said) return said === "1";
  return !options.requireConsent && (options.respectDnt === false || !asked());
}

/** Keeps the visitor's answer; after a no it is all that is kept. */
export function answer(given: boolean): void {
  if (!given) names("").forEach(remove);
  set("consent", given ? "1" : "0");
}
