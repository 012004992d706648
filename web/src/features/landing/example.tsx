import { PhoneCall, RotateCcw } from 'lucide-react';
import { useState } from 'react';

import { Delta, StageBadge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { EventIcon } from '@/components/ui/event-icon';
import { Avatar } from '@/components/ui/person';
import { points } from '@/lib/format';

import { type Act, ACTS, type Story, told } from './score';

const START: Story = { acts: ['page_view', 'page_view', 'pricing_page_visit'], idleDays: 0 };
const MARIA = { id: 'maria', name: 'Maria Alvarez' };

/** A lead to play with: what she does moves her score, and each point says why. */
export function Example() {
  const [story, setStory] = useState(START);
  const { score, stage, reasons, decay, action } = told(story);
  const most = Math.max(...reasons.map(({ points: given }) => given), Math.abs(decay), 1);
  const act = (done: Act) => setStory(({ acts }) => ({ acts: [...acts, done], idleDays: 0 }));
  return (
    <section
      aria-label="Try it with an example"
      className="min-w-0 rounded-xl border border-line bg-surface"
    >
      <div className="flex items-center gap-3 border-b border-line px-5 py-4">
        <Avatar person={MARIA} size="lg" />
        <div className="min-w-0 flex-1">
          <p className="truncate font-semibold">Maria Alvarez</p>
          <p className="truncate text-sm text-muted">an example: make her do something</p>
        </div>
        <div aria-live="polite" className="flex flex-col items-end gap-1">
          <span className="text-2xl leading-7 font-semibold tracking-tight tabular">
            {points(score)}
            <span className="sr-only"> points</span>
          </span>
          <StageBadge stage={stage} />
        </div>
      </div>
      <div className="flex flex-wrap gap-1.5 border-b border-line px-5 py-3">
        {(Object.keys(ACTS) as Act[]).map((name) => (
          <Button key={name} size="sm" onClick={() => act(name)}>
            <EventIcon type={name} className="size-3.5" />
            {ACTS[name].label}
          </Button>
        ))}
        <Button
          size="sm"
          onClick={() => setStory((now) => ({ ...now, idleDays: now.idleDays + 7 }))}
        >
          A silent week
        </Button>
        <Button
          size="sm"
          kind="ghost"
          icon={RotateCcw}
          aria-label="Start the example again"
          onClick={() => setStory(START)}
        />
      </div>
      <div className="px-5 pt-4 pb-1">
        <h2 className="mb-2 text-xs font-medium text-muted">Why this score</h2>
        <ul className="flex min-h-[164px] flex-col gap-1">
          {reasons.map(({ act: name, times, points: given, capped }) => (
            <Line
              key={name}
              label={`${name}${times > 1 ? ` × ${times}` : ''}`}
              note={capped ? 'capped for the day' : null}
              value={given}
              share={given / most}
              color="var(--accent)"
            />
          ))}
          {decay < -0.05 && (
            <Line
              label={`silent for ${story.idleDays} days`}
              note="5% a day after a week"
              value={decay}
              share={-decay / most}
              color="var(--danger)"
            />
          )}
        </ul>
      </div>
      <div className="flex items-center gap-2.5 border-t border-line bg-subtle px-5 py-3 text-sm">
        <PhoneCall aria-hidden className="size-4 text-muted" />
        <span className="text-muted">Next</span>
        <span className="font-medium">{action}</span>
      </div>
    </section>
  );
}

function Line({
  label,
  note,
  value,
  share,
  color,
}: {
  label: string;
  note: string | null;
  value: number;
  share: number;
  color: string;
}) {
  return (
    <li className="relative flex h-7 items-center gap-2 px-2 text-sm">
      <span
        aria-hidden
        className="absolute inset-y-0 left-0 rounded-sm opacity-15 transition-[width] duration-300"
        style={{ width: `${share * 100}%`, background: color }}
      />
      <span className="relative min-w-0 truncate font-mono text-xs">{label}</span>
      {note !== null && <span className="relative truncate text-xs text-muted">{note}</span>}
      <Delta value={value} className="relative ml-auto" />
    </li>
  );
}
