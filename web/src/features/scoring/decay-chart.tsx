import { type PointerEvent, useEffect, useRef, useState } from 'react';

import type { Decay } from '@/api/model';
import * as format from '@/lib/format';

import { curve, isWhole } from './decay';

const DAYS = 120;
const SCORE = 100;
const HEIGHT = 240;
const LEFT = 36;
const BOTTOM = 40;
const TOP = 10;
const RIGHT = 10;

type Props = {
  /** What is in force; null: no decay. */
  before: Decay | null;
  after: Decay | null;
  changed: boolean;
};

/** What is left of 100 points over 120 days of silence: as edited, and as it is in force. */
export function DecayChart({ before, after, changed }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  const [day, setDay] = useState<number | null>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth || 640));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  const drawable = after === null || isWhole(after);
  const values = drawable ? curve(after, SCORE, DAYS) : [];
  const old = curve(before, SCORE, DAYS);
  const x = (at: number) => LEFT + (at / DAYS) * (width - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - value / SCORE) * (HEIGHT - TOP - BOTTOM);
  const path = (points: number[]) =>
    points.map((value, at) => `${at === 0 ? 'M' : 'L'}${x(at)},${y(value)}`).join('');
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const { left: begin } = event.currentTarget.getBoundingClientRect();
    const at = Math.round(((event.clientX - begin - LEFT) / (width - LEFT - RIGHT)) * DAYS);
    setDay(at >= 0 && at <= DAYS ? at : null);
  };
  const every = width < 480 ? 30 : 15;
  return (
    <figure className="m-0 min-w-0">
      <Legend changed={changed} />
      <div ref={box} aria-hidden className="relative w-full min-w-0">
        <svg
          width={width}
          height={HEIGHT}
          className="block max-w-full text-2xs"
          onPointerMove={point}
          onPointerLeave={() => setDay(null)}
        >
          {[0, 25, 50, 75, 100].map((value) => (
            <g key={value}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} stroke="var(--line)" />
              <text x={LEFT - 8} y={y(value) + 4} textAnchor="end" fill="var(--muted)">
                {value}
              </text>
            </g>
          ))}
          {Array.from({ length: DAYS / every + 1 }, (_, step) => step * every).map((at) => (
            <text
              key={at}
              x={x(at)}
              y={HEIGHT - BOTTOM + 16}
              textAnchor="middle"
              fill="var(--muted)"
            >
              {at}
            </text>
          ))}
          <text x={(width + LEFT) / 2} y={HEIGHT - 6} textAnchor="middle" fill="var(--muted)">
            days of silence
          </text>
          {changed && (
            <path
              d={path(old)}
              fill="none"
              stroke="var(--cold)"
              strokeWidth={1.75}
              strokeDasharray="4 4"
            />
          )}
          <path d={path(values)} fill="none" stroke="var(--accent)" strokeWidth={2} />
          {day !== null && (
            <line x1={x(day)} x2={x(day)} y1={TOP} y2={HEIGHT - BOTTOM} stroke="var(--control)" />
          )}
        </svg>
        {day !== null && (
          <div
            className="pointer-events-none absolute top-3 rounded-md border border-line bg-surface px-2.5 py-1.5 text-xs whitespace-nowrap shadow-pop"
            style={x(day) > width / 2 ? { right: width - x(day) + 10 } : { left: x(day) + 10 }}
          >
            <div className="text-muted">after {format.count(day, 'day')}</div>
            <div className="font-medium tabular">{format.points(values[day])} points</div>
            {changed && (
              <div className="text-muted tabular">in force: {format.points(old[day])} points</div>
            )}
          </div>
        )}
      </div>
      <DecayTable values={values} old={changed ? old : null} />
    </figure>
  );
}

function Legend({ changed }: { changed: boolean }) {
  if (!changed) return null;
  return (
    <div aria-hidden className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      <span className="inline-flex items-center gap-1.5">
        <span className="h-0.5 w-4 rounded-full bg-accent" />
        Your edit
      </span>
      <span className="inline-flex items-center gap-1.5">
        <span className="w-4 border-t-2 border-dashed" style={{ borderColor: 'var(--cold)' }} />
        In force
      </span>
    </div>
  );
}

function DecayTable({ values, old }: { values: number[]; old: number[] | null }) {
  return (
    <table className="sr-only">
      <caption>What is left of 100 points after days of silence</caption>
      <thead>
        <tr>
          <th scope="col">Days</th>
          <th scope="col">Points</th>
          {old !== null && <th scope="col">Points in force</th>}
        </tr>
      </thead>
      <tbody>
        {Array.from({ length: DAYS / 10 + 1 }, (_, step) => step * 10).map((at) => (
          <tr key={at}>
            <th scope="row">{at}</th>
            <td>{format.points(values[at])}</td>
            {old !== null && <td>{format.points(old[at])}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
