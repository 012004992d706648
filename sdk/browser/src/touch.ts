/** How somebody came: from where, by which campaign, to which page. */
export interface Touch {
  landing_page: string;
  referrer?: string;
  [utm: `utm_${string}`]: string;
}

/** An address without what stands behind "?" and "#", where tokens and emails are. */
export function bare(url: { origin: string; pathname: string }): string {
  return url.origin + url.pathname;
}

function look(): Touch {
  const found: Touch = { landing_page: bare(location) };
  new URLSearchParams(location.search).forEach((value, name) => {
    if (/^utm_(source|medium|campaign|term|content)$/.test(name) && value) {
      found[name as `utm_${string}`] = value.slice(0, 255);
    }
  });
  return found;
}

/** The arrival at this page, from outside or not. */
function arrive(): Touch {
  const found = look();
  if (document.referrer) {
    const from = new URL(document.referrer);
    if (from.hostname !== location.hostname) found.referrer = bare(from);
  }
  return found;
}

// Seen at once: later the page may have another address.
let arrival: Touch | undefined = arrive();

/** The touch that counts from now on: this page's arrival, once, if it says anything. */
export function touch(last?: Touch): Touch {
  const came = arrival;
  arrival = undefined;
  if (!last) return came ?? look();
  return came && Object.keys(came).length > 1 ? came : last;
}
