import type { FirstSteps } from '@/api/first-steps';

export type Step = {
  id: 'snippet' | 'identified' | 'qualified';
  title: string;
  text: string;
  /** When it was done. */
  at: string | null;
  action: { label: string; to: '/integrations' | '/simulator' | '/scoring' };
};

/** The way from the snippet to the first qualified lead. */
export function steps(facts: Omit<FirstSteps, 'dismissed'>): Step[] {
  return [
    {
      id: 'snippet',
      title: 'Send the first event',
      text: 'Put the snippet into your website, or send an event from your server.',
      at: facts.firstEventAt,
      action: { label: 'Get the snippet', to: '/integrations' },
    },
    {
      id: 'identified',
      title: 'Learn who somebody is',
      text: 'Identify visitors when they log in or leave an address, so that you can call them.',
      at: facts.firstIdentifiedAt,
      action: { label: 'Try it in the simulator', to: '/simulator' },
    },
    {
      id: 'qualified',
      title: 'See a lead become qualified',
      text: 'Points for what matters to you decide who is worth a call.',
      at: facts.firstQualifiedAt,
      action: { label: 'Look at the rules', to: '/scoring' },
    },
  ];
}
