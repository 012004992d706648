import type { ReactNode } from 'react';

import { cn } from '@/lib/cn';
import * as format from '@/lib/format';

type Bar = {
  key: string;
  label: string;
  value: number;
  icon?: ReactNode;
  /** A CSS colour; the accent else. */
  color?: string;
  /** Makes the label a link, or anything else that shows it. */
  render?: (label: string) => ReactNode;
};

type Props = {
  label: string;
  /** What is counted, for the table that is read out. */
  unit: string;
  bars: readonly Bar[];
  show?: (value: number) => string;
  /** Show each one's share of all, too. */
  shares?: boolean;
  className?: string;
};

/** Amounts by name, the largest filling the line. */
export function BarList({ label, unit, bars, show = format.number, shares, className }: Props) {
  const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), 0);
  const all = bars.reduce((sum, bar) => sum + bar.value, 0);
  return (
    <table className={cn('w-full table-fixed border-separate border-spacing-y-1', className)}>
      <caption className="sr-only">{label}</caption>
      {/* The hidden head is the first row, which would share the width out evenly. */}
      <colgroup>
        <col />
        <col className="w-16" />
        {shares && <col className="w-14" />}
      </colgroup>
      <thead className="sr-only">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">{unit}</th>
          {shares && <th scope="col">Share</th>}
        </tr>
      </thead>
      <tbody>
        {bars.map(({ key, label: name, value, icon, color, render }) => (
          <tr key={key} className="h-7 text-sm">
            <th scope="row" className="p-0 text-left font-normal">
              <div className="relative flex h-7 items-center gap-2 px-2">
                <span
                  aria-hidden
                  className="absolute inset-y-0 left-0 rounded-sm opacity-15"
                  style={{
                    width: most === 0 ? 0 : `max(${(Math.abs(value) / most) * 100}%, 2px)`,
                    background: color ?? 'var(--accent)',
                  }}
                />
                {icon}
                <span className="relative min-w-0 truncate" title={name}>
                  {render ? render(name) : name}
                </span>
              </div>
            </th>
            <td className="p-0 pl-2 text-right font-medium tabular">{show(value)}</td>
            {shares && (
              <td className="p-0 pl-2 text-right text-xs text-muted tabular">
                {all === 0 ? format.NONE : format.percent(value / all)}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A run of values without axes, beside its figure. */
export function Sparkline({
  values,
  label,
  color = 'var(--accent)',
  className,
}: {
  values: readonly number[];
  /** What it shows, in words. */
  label: string;
  color?: string;
  className?: string;
}) {
  const [low, high] = [Math.min(...values, 0), Math.max(...values, 0)];
  const span = high - low || 1;
  const spots = values.map((value, index) => {
    const x = values.length < 2 ? 0 : (index / (values.length - 1)) * 100;
    return `${x.toFixed(2)},${(30 - ((value - low) / span) * 28 - 1).toFixed(2)}`;
  });
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 100 30"
      preserveAspectRatio="none"
      className={cn('h-8 w-24', className)}
    >
      {values.length > 1 && (
        <>
          <polygon points={`0,30 ${spots.join(' ')} 100,30`} fill={color} opacity={0.12} />
          <polyline
            points={spots.join(' ')}
            fill="none"
            stroke={color}
            strokeWidth={1.5}
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        </>
      )}
    </svg>
  );
}
