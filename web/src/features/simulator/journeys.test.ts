import { expect, it } from 'vitest';

import type { EventDetail, SentEvent } from '@/api/events';

import { eventOfStep, JOURNEYS, type Means, play, type Played, traveller } from './journeys';

const who = traveller(() => 0.5);

/** Means that take no time and remember what was sent. */
function means(changes: Partial<Means> = {}): Means & { sent: SentEvent[] } {
  const sent: SentEvent[] = [];
  return {
    sent,
    send: (event) => {
      sent.push(event);
      return Promise.resolve({
        status: 'queued',
        eventId: `s${sent.length}`,
        id: `e${sent.length}`,
        leadId: 'l1',
      });
    },
    scored: (id) => Promise.resolve({ id, status: 'scored' } as EventDetail),
    pause: () => Promise.resolve(),
    now: () => Date.parse('2026-05-01T12:00:00Z'),
    ...changes,
  };
}

it.each(JOURNEYS)('$title: in the order of time, by one person, who stays known', ({ steps }) => {
  const events = steps.map((step) => eventOfStep(step, who, 1_800_000_000_000, false));
  const times = events.map(({ timestamp }) => String(timestamp));
  expect(times).toEqual([...times].sort());
  expect(new Set(events.map(({ anonymousId }) => anonymousId)).size).toBe(1);
  const known = events.map(({ email }) => email !== undefined);
  expect(known).toEqual([...known].sort());
  expect(known.at(-1)).toBe(true);
  expect(events.some(({ test }) => test)).toBe(false);
});

it('each step is told twice: when it is sent, and when it is scored', async () => {
  const [journey] = JOURNEYS;
  if (journey === undefined) throw new Error('none');
  const told: Played[] = [];
  const used = means();
  await play(journey, who, used, {
    test: true,
    signal: new AbortController().signal,
    onStep: (step) => told.push(step),
  });
  expect(used.sent.map(({ event }) => event)).toEqual(journey.steps.map(({ event }) => event));
  expect(used.sent.every(({ test }) => test)).toBe(true);
  expect(told.map(({ step, event }) => [step, event !== null])).toEqual(
    journey.steps.flatMap((_, index) => [
      [index, false],
      [index, true],
    ]),
  );
});

it('once stopped nothing more is sent', async () => {
  const [journey] = JOURNEYS;
  if (journey === undefined) throw new Error('none');
  const control = new AbortController();
  const used = means();
  const playing = play(journey, who, used, {
    test: false,
    signal: control.signal,
    onStep: ({ step, event }) => {
      if (step === 1 && event === null) control.abort();
    },
  });
  await expect(playing).rejects.toThrow();
  expect(used.sent).toHaveLength(2);
});

it('two journeys are never the same person', () => {
  const met = Array.from({ length: 200 }, () => traveller());
  expect(new Set(met.map(({ anonymousId }) => anonymousId)).size).toBe(200);
});
