/** Tells the developer, in the one place that doesn't bother visitors. */
export function warn(what: unknown): void {
  console.warn("LeadPulse:", what);
}

/** The same function, from which nothing is ever thrown into the page. */
export function safe<A extends unknown[]>(work: (...given: A) => void): (...given: A) => void {
  return (...given) => {
    try {
      work(...given);
    } catch (error) {
      warn(error);
    }
  };
}
