import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { type EventDetail, eventQuery, simulate } from '@/api/events';
import { useProject } from '@/api/session';

import { type Journey, type Means, play, type Played, type Traveller, traveller } from './journeys';
import { keepSent } from './sent';

export type Playing = {
  journey: Journey;
  who: Traveller;
  played: readonly Played[];
  state: 'runs' | 'done' | 'stopped' | 'failed';
  error: unknown;
};

/** So long a scorer is waited for, in milliseconds, before the next step goes out anyway. */
const PATIENCE = 10_000;

export function useJourney() {
  const queries = useQueryClient();
  const project = useProject();
  const [playing, setPlaying] = useState<Playing | null>(null);
  const control = useRef<AbortController>(null);
  useEffect(() => () => control.current?.abort(), []);

  const change = (changes: Partial<Playing>) =>
    setPlaying((now) => (now === null ? null : { ...now, ...changes }));
  const stop = () => {
    control.current?.abort();
    change({ state: 'stopped' });
  };
  const start = async (journey: Journey, test: boolean) => {
    control.current?.abort();
    const own = new AbortController();
    control.current = own;
    const who = traveller();
    setPlaying({ journey, who, played: [], state: 'runs', error: null });
    const ask = (id: string) => queries.query({ ...eventQuery(id), staleTime: 0 });
    const means: Means = {
      send: simulate,
      scored: (id) => scored(() => ask(id), own.signal),
      pause,
      now: Date.now,
    };
    const onStep = (step: Played) => {
      if (own.signal.aborted) return;
      const { id } = step.sent;
      const type = journey.steps[step.step]?.event ?? '';
      if (id !== null && step.event === null) {
        keepSent(project.id, { id, eventType: type, whom: who.email, at: Date.now(), test });
      }
      setPlaying((now) => {
        if (now === null) return null;
        const others = now.played.filter((one) => one.step !== step.step);
        return { ...now, played: [...others, step] };
      });
    };
    try {
      await play(journey, who, means, { test, signal: own.signal, onStep });
      change({ state: 'done' });
    } catch (error) {
      if (!own.signal.aborted) change({ state: 'failed', error });
    }
  };
  return { playing, start, stop };
}

async function scored(
  ask: () => Promise<EventDetail>,
  signal: AbortSignal,
): Promise<EventDetail | null> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const event = await ask();
    if (event.status !== 'queued') return event;
    if (Date.now() > until) return null;
    await pause(200, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(new DOMException('Stopped.', 'AbortError'));
      },
      { once: true },
    );
  });
}
