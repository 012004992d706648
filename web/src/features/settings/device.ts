/** A browser and a system in the words of a user agent: what one recognises one's own by. */
export function device(agent: string | null): { name: string; phone: boolean } {
  if (agent === null || agent === '') return { name: 'Unknown program', phone: false };
  const browser = BROWSERS.find(([, pattern]) => pattern.test(agent))?.[0];
  const system = SYSTEMS.find(([, pattern]) => pattern.test(agent))?.[0];
  const phone = /iPhone|Android.*Mobile/.test(agent);
  if (browser === undefined) return { name: agent.split(/[\s(]/, 1)[0] ?? agent, phone };
  return { name: system === undefined ? browser : `${browser} on ${system}`, phone };
}

// The first that fits: most of them claim to be others, too.
const BROWSERS: [string, RegExp][] = [
  ['Edge', /\bEdgA?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|HeadlessChrome|CriOS)\//],
  ['Safari', /\bSafari\//],
];
const SYSTEMS: [string, RegExp][] = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['ChromeOS', /CrOS/],
  ['Windows', /Windows/],
  ['macOS', /Macintosh|Mac OS X/],
  ['Linux', /Linux|X11/],
];
