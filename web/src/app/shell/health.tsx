import { useQuery } from '@tanstack/react-query';

import { healthQuery } from '@/api/health';
import { useLiveState } from '@/api/live';
import { Popover } from '@/components/ui/menu';
import { cn } from '@/lib/cn';
import { count } from '@/lib/format';

type Light = { name: string; state: 'up' | 'down' | 'waiting'; said: string };

const COLORS = { up: 'bg-qualified', down: 'bg-danger', waiting: 'bg-warm' } as const;

function useLights(): Light[] {
  const { data, isError } = useQuery(healthQuery);
  const live = useLiveState().status;
  const light = (name: string, state: Light['state'], said: string): Light => ({
    name,
    state,
    said,
  });
  const lights: Light[] = [
    isError
      ? light('API', 'down', 'can’t be reached')
      : light('API', data === undefined ? 'waiting' : 'up', data === undefined ? 'asking' : 'up'),
  ];
  if (isError || data === undefined) {
    lights.push(light('Database', 'waiting', 'unknown'), light('Queue', 'waiting', 'unknown'));
  } else {
    const database = data.database === 'down' || data.status === 'down' ? 'down' : 'up';
    lights.push(light('Database', database, database));
    const waiting = data.queue?.waiting;
    lights.push(
      data.status === 'degraded'
        ? light('Queue', 'down', 'events wait, nobody scores them')
        : light('Queue', 'up', waiting === undefined ? 'up' : `${count(waiting, 'event')} waiting`),
    );
    if (data.redis === 'down') lights.push(light('Valkey', 'down', 'down'));
  }
  const said = { up: 'connected', down: 'lost', connecting: 'connecting' }[live];
  lights.push(light('Live', live === 'connecting' ? 'waiting' : live, said));
  return lights;
}

/** How the parts of the installation are, as dots; in words behind them. */
export function HealthDots() {
  const lights = useLights();
  const ill = lights.filter(({ state }) => state === 'down').map(({ name }) => name);
  const summary = ill.length === 0 ? 'All parts work' : `Not working: ${ill.join(', ')}`;
  return (
    <Popover
      align="end"
      label="Health"
      className="w-64 p-1.5"
      trigger={
        <button
          type="button"
          aria-label={`Health. ${summary}`}
          title={summary}
          className="flex h-8 items-center gap-1 rounded-md px-2 hover:bg-hover"
        >
          {lights.map(({ name, state }) => (
            <span
              key={name}
              className={cn(
                'size-2 rounded-full',
                COLORS[state],
                state === 'down' && 'ring-2 ring-danger/30',
              )}
            />
          ))}
        </button>
      }
    >
      <ul>
        {lights.map(({ name, state, said }) => (
          <li key={name} className="flex h-8 items-center gap-2 px-2 text-sm">
            <span aria-hidden className={cn('size-2 shrink-0 rounded-full', COLORS[state])} />
            <span className="font-medium">{name}</span>
            <span className="ml-auto truncate text-xs text-muted" title={said}>
              {said}
            </span>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
