import type { EventDetail, SentEvent, Simulated } from '@/api/events';

export type Step = {
  event: string;
  /** What the person does, in a few words. */
  says: string;
  /** So many hours before now it happens. */
  hoursAgo: number;
  properties?: Record<string, unknown>;
  /** From here on one knows who it is. */
  identified?: boolean;
};
export type Journey = { id: string; title: string; says: string; steps: readonly Step[] };

export const JOURNEYS: readonly Journey[] = [
  {
    id: 'buyer',
    title: 'From first visit to contract',
    says: 'Reads, comes back, asks for a demo, signs.',
    steps: [
      {
        event: 'page_view',
        says: 'Reads an article',
        hoursAgo: 50,
        properties: { path: '/blog/lead-scoring', referrer: 'https://search.example' },
      },
      {
        event: 'page_view',
        says: 'Looks at the product',
        hoursAgo: 49.9,
        properties: { path: '/product' },
      },
      {
        event: 'page_view',
        says: 'Comes back for the prices',
        hoursAgo: 26,
        properties: { path: '/pricing' },
      },
      {
        event: 'signup',
        says: 'Signs up, and has a name from now on',
        hoursAgo: 25.8,
        properties: { plan: 'trial' },
        identified: true,
      },
      {
        event: 'demo_request',
        says: 'Asks for a demo',
        hoursAgo: 2,
        properties: { seats: 25 },
        identified: true,
      },
      {
        event: 'contract_signed',
        says: 'Signs the contract',
        hoursAgo: 0,
        properties: { value: 12000, currency: 'EUR' },
        identified: true,
      },
    ],
  },
  {
    id: 'evaluator',
    title: 'Turns hot in one visit',
    says: 'Comes by a campaign, compares, leaves an address.',
    steps: [
      {
        event: 'page_view',
        says: 'Arrives from a campaign',
        hoursAgo: 0.4,
        properties: { path: '/', utm_source: 'newsletter', utm_campaign: 'spring' },
      },
      {
        event: 'page_view',
        says: 'Looks at the prices',
        hoursAgo: 0.35,
        properties: { path: '/pricing' },
      },
      {
        event: 'download',
        says: 'Downloads the comparison',
        hoursAgo: 0.2,
        properties: { file: 'comparison.pdf' },
      },
      {
        event: 'form_submit',
        says: 'Leaves an address',
        hoursAgo: 0,
        properties: { form: 'contact' },
        identified: true,
      },
    ],
  },
  {
    id: 'leaver',
    title: 'Looks in, and loses interest',
    says: 'Opens a letter, reads, unsubscribes.',
    steps: [
      { event: 'email_open', says: 'Opens the newsletter', hoursAgo: 30, identified: true },
      {
        event: 'page_view',
        says: 'Reads what it is about',
        hoursAgo: 29.9,
        properties: { path: '/news' },
        identified: true,
      },
      { event: 'unsubscribe', says: 'Unsubscribes', hoursAgo: 0, identified: true },
    ],
  },
];

const FIRST = ['Mia', 'Noah', 'Lena', 'Omar', 'Sofia', 'Jonas', 'Amara', 'Felix'] as const;
const LAST = [
  'Keller',
  'Okafor',
  'Lindqvist',
  'Moreau',
  'Tanaka',
  'Rossi',
  'Novak',
  'Silva',
] as const;

export type Traveller = { anonymousId: string; email: string; name: string };

/** Somebody new for each journey; the address is one that nobody has. */
export function traveller(random: () => number = Math.random): Traveller {
  const pick = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(random() * of.length)] ?? of[0];
  const [first, last] = [pick(FIRST), pick(LAST)];
  const number = Math.floor(random() * 0xffffff).toString(36);
  return {
    anonymousId: `simulated-${number}-${Math.floor(random() * 0xffffff).toString(36)}`,
    email: `${first}.${last}.${number}@example.com`.toLowerCase(),
    name: `${first} ${last}`,
  };
}

/** What is sent for a step. Who has said who he is stays tied to what he did before. */
export function eventOfStep(step: Step, who: Traveller, now: number, test: boolean): SentEvent {
  return {
    event: step.event,
    anonymousId: who.anonymousId,
    timestamp: new Date(now - step.hoursAgo * 3_600_000).toISOString(),
    ...(step.identified === true && { email: who.email, traits: { name: who.name } }),
    ...(step.properties !== undefined && { properties: step.properties }),
    ...(test && { test: true }),
  };
}

export type Played = { step: number; sent: Simulated; event: EventDetail | null };

export type Means = {
  send: (event: SentEvent) => Promise<Simulated>;
  /** The event once it is scored; null if that takes too long. */
  scored: (id: string) => Promise<EventDetail | null>;
  /** Rejects when it is stopped meanwhile. */
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  now: () => number;
};

/** Time to read what a step did before the next one. */
const BETWEEN = 1_200;

/** Sends a journey step by step, each after the one before is scored; stops when told. */
export async function play(
  journey: Journey,
  who: Traveller,
  means: Means,
  told: { test: boolean; signal: AbortSignal; onStep: (played: Played) => void },
): Promise<void> {
  for (const [index, step] of journey.steps.entries()) {
    if (index > 0) await means.pause(BETWEEN, told.signal);
    told.signal.throwIfAborted();
    const sent = await means.send(eventOfStep(step, who, means.now(), told.test));
    told.onStep({ step: index, sent, event: null });
    const event = sent.id === null ? null : await means.scored(sent.id);
    told.signal.throwIfAborted();
    told.onStep({ step: index, sent, event });
  }
}
