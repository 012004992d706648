import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';

import { STAGES } from '@/api/leads';
import { STAGE } from '@/components/ui/badge';
import { cn } from '@/lib/cn';

import { keyStep, place, room, topOf } from './stage-scale';
import { figure } from './words';

type Props = {
  /** Where the four stages begin. */
  starts: readonly number[];
  max: number;
  locked: boolean;
  onChange: (index: number, from: number) => void;
};

/** The stages on the line of scores, with a handle where each of the last three begins. */
export function StageLine({ starts, max, locked, onChange }: Props) {
  const line = useRef<HTMLDivElement>(null);
  // While a handle is held the line keeps its length, so that nothing runs away.
  const [held, setHeld] = useState<number | null>(null);
  const low = starts[0] ?? 0;
  const top = held ?? topOf(starts, max);
  const ends = [...starts.slice(1).map((from) => place(from, low, top)), 100];

  const drag = (index: number, event: PointerEvent) => {
    const box = line.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return;
    const share = (event.clientX - box.left) / box.width;
    const { least, most } = room(starts, index, max);
    const wanted = Math.round(low + share * (top - low));
    onChange(index, Math.min(most, Math.max(least, Math.min(wanted, Math.floor(top)))));
  };
  const press = (index: number, event: KeyboardEvent) => {
    const next = keyStep(event.key, starts[index] ?? 0, room(starts, index, max));
    if (next === null) return;
    event.preventDefault();
    onChange(index, next);
  };
  return (
    <div className="px-2 pt-2 pb-1">
      <div ref={line} className="relative h-11">
        <div aria-hidden className="absolute inset-x-0 top-4 flex h-3 overflow-hidden rounded-full">
          {STAGES.map((stage, index) => (
            <span
              key={stage}
              style={{
                width: `${Math.max(0, (ends[index] ?? 100) - (index === 0 ? 0 : (ends[index - 1] ?? 0)))}%`,
                background: STAGE[stage].color,
              }}
            />
          ))}
        </div>
        {STAGES.map((stage, index) => {
          if (index === 0) return null;
          const from = starts[index] ?? Number.NaN;
          const { least, most } = room(starts, index, max);
          return (
            <div
              key={stage}
              role="slider"
              tabIndex={locked ? -1 : 0}
              aria-label={`${STAGE[stage].label} begins at`}
              aria-valuemin={least}
              aria-valuemax={most}
              aria-valuenow={Number.isFinite(from) ? from : least}
              aria-valuetext={`${figure(from)} points`}
              aria-disabled={locked}
              onKeyDown={(event) => !locked && press(index, event)}
              onPointerDown={(event) => {
                if (locked) return;
                event.currentTarget.setPointerCapture(event.pointerId);
                setHeld(top);
              }}
              onPointerMove={(event) => held !== null && drag(index, event)}
              onPointerUp={() => setHeld(null)}
              onPointerCancel={() => setHeld(null)}
              className={cn(
                'absolute top-0 -ml-5 flex h-11 w-10 touch-none items-center justify-center rounded-md',
                locked ? 'cursor-default' : 'cursor-ew-resize',
              )}
              style={{ left: `${place(from, low, top)}%`, zIndex: index }}
            >
              <span
                className="block h-7 w-3 rounded-full border-2 bg-surface"
                style={{ borderColor: STAGE[stage].color }}
              />
            </div>
          );
        })}
      </div>
      <div aria-hidden className="flex justify-between text-2xs text-muted tabular">
        <span>{figure(low)}</span>
        <span>
          {figure(top)}
          {top < max && ` … ${figure(max)}`}
        </span>
      </div>
    </div>
  );
}
