import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { keys } from '@/api/keys';
import type { Rescore } from '@/api/model';
import * as format from '@/lib/format';

/** How far scoring all history again is. */
export function RescoreBar({ rescore }: { rescore: Rescore | null }) {
  const queries = useQueryClient();
  const running = useRef(false);
  useEffect(() => {
    // What it has changed is shown once it is over.
    if (running.current && rescore === null) {
      void queries.invalidateQueries({ queryKey: keys.leaderboard.all });
      void queries.invalidateQueries({ queryKey: keys.leads.all });
      void queries.invalidateQueries({ queryKey: keys.model.part('stats') });
    }
    running.current = rescore !== null;
  }, [rescore, queries]);
  if (rescore === null) return null;
  const percent = Math.floor(rescore.percent);
  return (
    <div className="mb-4 rounded-lg border border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap justify-between gap-2 text-sm">
        <span id="scoring-rescore">All history is being scored by version {rescore.version}</span>
        <span className="text-muted tabular">
          {percent}% · {format.number(rescore.done)} of {format.count(rescore.total, 'lead')}
        </span>
      </div>
      <div
        role="progressbar"
        aria-labelledby="scoring-rescore"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        className="mt-2 h-1.5 overflow-hidden rounded-full bg-pressed"
      >
        <span
          className="block h-full rounded-full bg-accent transition-[width]"
          style={{ width: `${percent}%` }}
        />
      </div>
    </div>
  );
}
