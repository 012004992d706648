import type { SystemHealth } from '@/api/operations';
import { Badge } from '@/components/ui/badge';
import { Card } from '@/components/ui/layout';
import { Notice, Skeleton } from '@/components/ui/states';
import { RelativeTime } from '@/components/ui/text';
import { cn } from '@/lib/cn';
import { bytes, count, duration, number, percent } from '@/lib/format';

type Figure = { label: string; value: string; title?: string; warn?: boolean };

function figures({ queue, heldLeads, conflicts, database }: SystemHealth): Figure[] {
  return [
    { label: 'Events waiting', value: number(queue.waiting) },
    {
      label: 'Oldest waits for',
      value: queue.waiting === 0 ? '–' : duration(Math.round(queue.oldestSeconds * 1_000)),
      warn: queue.oldestSeconds > 60,
    },
    { label: 'Leads tried again', value: number(queue.retrying), warn: queue.retrying > 0 },
    { label: 'Dead letters', value: number(queue.failed), warn: queue.failed > 0 },
    { label: 'Leads held back', value: number(heldLeads), warn: heldLeads > 0 },
    { label: 'Conflicts', value: number(conflicts), title: 'Within the last week' },
    {
      label: 'Database',
      value: bytes(database.bytes),
      title: `${count(database.connections, 'connection')} open`,
    },
  ];
}

/** What waits, what is stuck, and how far a rescore is. */
export function QueueCard({ system }: { system: SystemHealth }) {
  const { rescore, paused } = system;
  return (
    <Card title="Queue" aside={paused && <Badge tone="warn">Project paused</Badge>}>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-4 md:grid-cols-4 xl:grid-cols-7">
        {figures(system).map(({ label, value, title, warn }) => (
          <div key={label} className="flex min-w-0 flex-col-reverse justify-end gap-0.5">
            <dt className="truncate text-xs text-muted" title={label}>
              {label}
            </dt>
            <dd
              title={title}
              className={cn(
                'truncate text-xl font-semibold tracking-tight tabular',
                warn && 'text-warn-text',
              )}
            >
              {value}
            </dd>
          </div>
        ))}
      </dl>
      {rescore !== null && (
        <Notice tone="accent" className="mt-4">
          <p>
            Scores are being made again by version {rescore.version}: {number(rescore.done)} of{' '}
            {count(rescore.total, 'lead')} ({percent(rescore.percent / 100)}), since{' '}
            <RelativeTime at={rescore.startedAt} />.
          </p>
          <progress
            aria-label="Leads scored again"
            max={100}
            value={rescore.percent}
            className="mt-2 h-1.5 w-full accent-(--accent)"
          />
        </Notice>
      )}
    </Card>
  );
}

export function QueueSkeleton() {
  return (
    <Card title="Queue">
      <div className="grid grid-cols-2 gap-4 md:grid-cols-4 xl:grid-cols-7">
        {Array.from({ length: 7 }, (_, index) => (
          <Skeleton key={index} className="h-11" />
        ))}
      </div>
    </Card>
  );
}

/** The scorers that gave a sign of life within half a minute. */
export function WorkersCard({ system }: { system: SystemHealth }) {
  const { workers } = system;
  return (
    <Card
      title="Scorers"
      aside={<span className="text-xs text-muted">model version {system.modelVersion}</span>}
      flush
    >
      {workers.length === 0 ? (
        <p className="border-t border-line px-4 py-6 text-center text-sm text-muted">
          No scorer is alive: events are stored and wait. Start one with{' '}
          <code className="font-mono text-xs">leadpulse worker</code>.
        </p>
      ) : (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrolls by keyboard
        <div role="region" aria-label="Table of scorers" tabIndex={0} className="overflow-x-auto">
          <table className="w-full text-sm">
            <thead>
              <tr className="border-y border-line bg-subtle text-left text-xs text-muted">
                <th scope="col" className="h-8 px-4 font-medium">
                  Host
                </th>
                <th scope="col" className="h-8 px-2 text-right font-medium">
                  Process
                </th>
                <th scope="col" className="h-8 px-2 text-right font-medium">
                  Started
                </th>
                <th scope="col" className="h-8 px-4 text-right font-medium">
                  Last sign of life
                </th>
              </tr>
            </thead>
            <tbody>
              {workers.map(({ host, pid, startedAt, seenAt }) => (
                <tr key={`${host}-${pid}`} className="border-b border-line last:border-0">
                  <td className="h-9 max-w-48 truncate px-4" title={host}>
                    {host}
                  </td>
                  <td className="px-2 text-right tabular">{pid}</td>
                  <td className="px-2 text-right">
                    <RelativeTime at={startedAt} className="text-muted" />
                  </td>
                  <td className="px-4 text-right">
                    <RelativeTime at={seenAt} className="text-muted" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
