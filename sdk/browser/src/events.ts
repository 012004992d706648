import { allowed } from "./consent";
import { visitor } from "./identity";
import { timed } from "./ids";
import { options } from "./options";
import { put } from "./queue";
import { session } from "./session";
import { bare } from "./touch";
import { sendSoon } from "./transport";

export type Properties = Record<string, unknown>;

/** Keeps an event as it will be sent, however often: nothing in it may change any more. */
export function record(event: string, properties?: Properties, traits?: Properties): void {
  if (!event || !allowed()) return;
  const now = Date.now();
  const { id, touch } = session(now);
  const eventId = timed(now);
  put(eventId, {
    event,
    eventId,
    timestamp: new Date(now).toISOString(),
    sessionId: id,
    ...visitor(),
    ...(options.test && { test: true }),
    traits,
    properties: {
      url: bare(location),
      path: location.pathname,
      title: document.title.slice(0, 255),
      ...touch,
      ...properties,
    },
  });
  sendSoon(eventId);
}
