import 'uplot/dist/uPlot.min.css';

import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';

import { cn } from '@/lib/cn';
import * as format from '@/lib/format';
import { useShownTheme } from '@/lib/theme';

export type ChartSeries = {
  name: string;
  /** A token: accent, hot, cold … */
  color: string;
  values: readonly (number | null)[];
  kind?: 'line' | 'area' | 'bars' | 'steps';
  /** On a scale of its own, at the right. */
  right?: boolean;
  /** What is not certain, such as the future. */
  dashed?: boolean;
};

type Props = {
  /** What the chart shows; the table for those who can't see it is called so. */
  label: string;
  /** Milliseconds, rising. */
  times: readonly number[];
  series: readonly ChartSeries[];
  /** How values are written. */
  show?: (value: number) => string;
  /** What stands at the left axis: a unit. */
  unit?: string;
  /** Levels across the chart, such as where stages begin. */
  levels?: readonly { value: number; label: string; color: string }[];
  /** Moments to point at, such as events. */
  marks?: readonly { at: number; value: number; label: string; color?: string }[];
  /** How a moment is written in the tooltip and the table. */
  showTime?: (at: number) => string;
  /** A click at a moment; its time, in milliseconds. */
  onPick?: (at: number) => void;
  /** The moment that was picked. */
  picked?: number | null;
  /** Lowest top of the scale, so that little looks like little. */
  atLeast?: number;
  height?: number;
  className?: string;
};

/** Values over time. */
export function TimeChart(props: Props) {
  const { label, times, series, height = 220, className } = props;
  const { show = format.number, showTime = format.exactTime } = props;
  const theme = useShownTheme();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  const data = useMemo<uPlot.AlignedData>(
    () => [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])],
    [times, series],
  );
  // What needs a new drawing board; new values do not.
  const shape = JSON.stringify([
    theme,
    height,
    props.unit,
    props.levels,
    props.marks,
    props.atLeast,
    series.map(({ name, color, kind, right, dashed }) => [name, color, kind, right, dashed]),
    props.onPick !== undefined,
  ]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      optionsFor(element, latest),
      [[], ...latest.current.series.map(() => [])],
      element,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: latest.current.height ?? 220 }),
    );
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [data, shape]);
  useEffect(() => {
    plot.current?.redraw(false);
  }, [props.picked, shape]);

  return (
    <figure className={cn('m-0 min-w-0', className)}>
      {series.length > 1 && (
        <div aria-hidden className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
          {series.map(({ name, color }) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <span className="size-2 rounded-full" style={{ background: `var(--${color})` }} />
              {name}
            </span>
          ))}
        </div>
      )}
      <div ref={box} aria-hidden className="relative w-full min-w-0" style={{ height }} />
      <table className="sr-only">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((at, index) => (
            <tr key={at}>
              <th scope="row">{showTime(at)}</th>
              {series.map(({ name, values }) => {
                const value = values[index];
                return <td key={name}>{value == null ? format.NONE : show(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

type Latest = { readonly current: Props };

function optionsFor(element: HTMLElement, latest: Latest): uPlot.Options {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const props = latest.current;
  const font = `11px ${style.fontFamily}`;
  const write = (value: number) => (latest.current.show ?? format.short)(value);
  const axis = {
    stroke: token('muted'),
    font,
    labelFont: font,
    grid: { stroke: token('line'), width: 1 },
    ticks: { show: false },
  };
  const left: uPlot.Axis = {
    ...axis,
    gap: 8,
    size: (plot, values) =>
      16 +
      Math.max(
        24,
        ...((values as string[] | null) ?? []).map((text) => measured(plot, font, text)),
      ),
    values: (_, marks) => marks.map(write),
  };
  if (props.unit !== undefined) {
    left.label = props.unit;
    left.labelSize = 16;
  }
  const axes: uPlot.Axis[] = [
    {
      ...axis,
      gap: 8,
      size: 28,
      space: 72,
      grid: { show: false },
      values: (_, at, __, ___, step) =>
        at.map((seconds) => format.tick(seconds * 1000, step * 1000)),
    },
    left,
  ];
  if (props.series.some(({ right }) => right)) {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- Side.Right has no value at run time
    axes.push({ ...left, scale: 'right', side: 1, grid: { show: false } });
  }
  return {
    width: element.clientWidth,
    height: props.height ?? 220,
    // At the right half of the last moment's name stands over the edge.
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6, width: 2 }, drag: { x: false, y: false } },
    axes,
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => range(latest.current, low, high) },
      right: { range: (_, low, high) => [Math.min(0, low), Math.max(high * 1.1, 1)] },
    },
    series: [{}, ...props.series.map((series) => seriesFor(series, token))],
    hooks: { draw: [(plot) => drawExtras(plot, latest.current, token, font)] },
    plugins: [tooltip(latest), picking(latest)],
  };
}

function measured(plot: uPlot, font: string, text: string): number {
  plot.ctx.save();
  plot.ctx.font = font;
  const { width } = plot.ctx.measureText(text);
  plot.ctx.restore();
  return width;
}

function range({ levels, marks, atLeast = 1 }: Props, low: number, high: number): [number, number] {
  const extra = [
    ...(levels ?? []).map(({ value }) => value),
    ...(marks ?? []).map(({ value }) => value),
  ];
  const least = Math.min(0, low, ...extra);
  return [least, Math.max(high, atLeast, ...extra) * 1.08];
}

function seriesFor(
  { name, color, kind = 'line', right, dashed }: ChartSeries,
  token: (name: string) => string,
): uPlot.Series {
  const stroke = token(color);
  const made: uPlot.Series = { label: name, stroke, width: 1.75, points: { show: false } };
  if (right) made.scale = 'right';
  if (dashed) made.dash = [4, 4];
  if (kind === 'area') made.fill = `${stroke}1f`;
  if (kind === 'bars' && uPlot.paths.bars) {
    made.paths = uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 });
    made.fill = stroke;
    made.width = 0;
  }
  if (kind === 'steps' && uPlot.paths.stepped) made.paths = uPlot.paths.stepped({ align: 1 });
  return made;
}

function drawExtras(
  plot: uPlot,
  { levels, marks, picked }: Props,
  token: (name: string) => string,
  font: string,
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = font.replace('11px', `${11 * ratio}px`);
  const names: number[] = [];
  for (const { value, label, color } of levels ?? []) {
    const y = plot.valToPos(value, 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = token(color);
    ctx.fillStyle = token(`${color}-text`) || token('muted');
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    // Levels close to each other share the room of one name.
    if (names.some((other) => Math.abs(other - y) < 12 * ratio)) continue;
    names.push(y);
    ctx.textAlign = 'right';
    ctx.textBaseline = 'bottom';
    ctx.fillText(label, bbox.left + bbox.width - 4 * ratio, y - 2 * ratio);
  }
  ctx.setLineDash([]);
  for (const { at, value, color = 'accent' } of marks ?? []) {
    const [x, y] = [plot.valToPos(at / 1000, 'x', true), plot.valToPos(value, 'y', true)];
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = token(color);
    ctx.strokeStyle = token('surface');
    ctx.lineWidth = 2 * ratio;
    ctx.beginPath();
    ctx.arc(x, y, 4 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
  if (picked != null) {
    const x = plot.valToPos(picked / 1000, 'x', true);
    ctx.strokeStyle = token('ink');
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Tells which moment is clicked. */
function picking(latest: Latest): uPlot.Plugin {
  return {
    hooks: {
      init: [
        (plot) => {
          if (latest.current.onPick === undefined) return;
          plot.over.style.cursor = 'pointer';
          plot.over.addEventListener('click', (event) => {
            const { left } = plot.over.getBoundingClientRect();
            const at = plot.posToVal(event.clientX - left, 'x') * 1000;
            latest.current.onPick?.(Math.round(at));
          });
        },
      ],
    },
  };
}

/** What stands under the pointer, in words. */
function tooltip(latest: Latest): uPlot.Plugin {
  const element = document.createElement('div');
  element.className =
    'pointer-events-none absolute z-20 hidden max-w-64 rounded-md border border-line bg-surface px-2.5 py-1.5 text-xs text-ink shadow-pop';
  return {
    hooks: {
      init: [(plot) => plot.over.append(element)],
      setCursor: [
        (plot) => {
          const { idx, left = -1, top = 0 } = plot.cursor;
          element.classList.toggle('hidden', idx == null || left < 0);
          if (idx == null || left < 0) return;
          element.replaceChildren(...lines(plot, latest.current, idx));
          const { width } = element.getBoundingClientRect();
          const over = left + 16 + width > plot.over.clientWidth;
          element.style.left = `${over ? Math.max(0, left - width - 12) : left + 12}px`;
          element.style.top = `${Math.max(0, Math.min(top - 12, plot.over.clientHeight - 48))}px`;
        },
      ],
    },
  };
}

function lines(plot: uPlot, props: Props, index: number): HTMLElement[] {
  const { times, series, marks = [], show = format.number, showTime = format.exactTime } = props;
  const at = times[index];
  if (at === undefined) return [];
  const head = made('div', 'text-muted mb-0.5 whitespace-nowrap', showTime(at));
  const values = series.map(({ name, color, values: all }) => {
    const value = all[index];
    const line = made('div', 'flex items-center gap-1.5 whitespace-nowrap', '');
    const dot = made('span', 'size-2 shrink-0 rounded-full', '');
    dot.style.background = `var(--${color})`;
    line.append(dot, made('span', 'text-muted', name));
    line.append(
      made('span', 'tabular ml-auto pl-3 font-medium', value == null ? format.NONE : show(value)),
    );
    return line;
  });
  // Marks within a few pixels of the pointer.
  const near = marks
    .filter((mark) => Math.abs(plot.valToPos(mark.at / 1000, 'x') - (plot.cursor.left ?? 0)) < 8)
    .slice(0, 4)
    .map((mark) => made('div', 'mt-0.5 truncate font-medium', mark.label));
  return [head, ...values, ...near];
}

function made(tag: 'div' | 'span', classes: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = classes;
  element.textContent = text;
  return element;
}
