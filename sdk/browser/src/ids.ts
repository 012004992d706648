let made = 0;

/** 96 random bits; crypto.randomUUID is missing on plain http. */
export function random(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => (byte + 256).toString(16).slice(1))
    .join("");
}

/** An id that sorts by its time, and within one page by its order. */
export function timed(now: number): string {
  return (now * 1000 + (made++ % 1000)).toString(36) + random();
}
