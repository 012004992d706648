import type { Health } from '@/api/health';
import type { LiveState } from '@/api/live';
import type { SystemHealth } from '@/api/operations';
import { count } from '@/lib/format';

export type PartState = 'up' | 'down' | 'waiting' | 'off';
export type Part = {
  name: string;
  state: PartState;
  /** A few words beside the state. */
  said: string;
  /** Milliseconds in which it answers; null: it is not measured. */
  latency: number | null;
  /** Since when it runs or holds. */
  since: string | number | null;
};

type Known = {
  /** null: it was asked and gave no answer; undefined: not answered yet. */
  health: Health | null | undefined;
  /** Only for who may look after the project. */
  system: SystemHealth | undefined;
  live: LiveState;
  roundTrip: number | undefined;
};

/** How each part of the installation is, from what this person may know of it. */
export function partsOf({ health, system, live, roundTrip }: Known): Part[] {
  return [
    api(health, system, roundTrip),
    database(health, system),
    liveConnection(live, health),
    ...valkey(health, system),
    scorers(health, system),
  ];
}

function api(health: Known['health'], system: Known['system'], roundTrip?: number): Part {
  const version = system?.api.version ?? health?.version ?? null;
  return {
    name: 'API',
    state: health === null ? 'down' : health === undefined ? 'waiting' : 'up',
    said: health === null ? 'can’t be reached' : version === null ? '' : `version ${version}`,
    latency: health === null ? null : (roundTrip ?? null),
    since: health === null ? null : (system?.api.startedAt ?? null),
  };
}

function database(health: Known['health'], system: Known['system']): Part {
  const known = health != null;
  const down = known && (health.status === 'down' || health.database === 'down');
  return {
    name: 'Database',
    state: !known ? 'waiting' : down ? 'down' : 'up',
    said: down ? 'doesn’t answer' : system ? `PostgreSQL ${system.database.version}` : '',
    latency: down ? null : (system?.database.latencyMs ?? null),
    since: down ? null : (system?.database.startedAt ?? null),
  };
}

function liveConnection({ status, since }: LiveState, health: Known['health']): Part {
  if (health?.live === 'down') {
    return { name: 'Live', state: 'down', said: 'nothing is told', latency: null, since: null };
  }
  return {
    name: 'Live',
    state: status === 'connecting' ? 'waiting' : status,
    said: { connecting: 'connecting', up: 'this page is connected', down: 'connection lost' }[
      status
    ],
    latency: null,
    since: status === 'connecting' ? null : since,
  };
}

/** Nothing at all where the installation does without. */
function valkey(health: Known['health'], system: Known['system']): Part[] {
  const state = system?.valkey.state ?? health?.redis;
  if (state !== 'up' && state !== 'down') return [];
  return [
    {
      name: 'Valkey',
      state,
      said: state === 'down' ? 'each process counts for itself' : 'shared counts and hints',
      latency: system?.valkey.latencyMs ?? null,
      since: null,
    },
  ];
}

function scorers(health: Known['health'], system: Known['system']): Part {
  const workers = system?.workers.length ?? health?.queue?.workers;
  const started = system?.workers.map(({ startedAt }) => startedAt).sort()[0] ?? null;
  if (workers === undefined) {
    return { name: 'Scorers', state: 'waiting', said: '', latency: null, since: null };
  }
  const stuck = health?.status === 'degraded';
  return {
    name: 'Scorers',
    state: workers === 0 || stuck ? 'down' : 'up',
    said:
      workers === 0
        ? 'nobody scores'
        : stuck
          ? 'events wait and nothing moves'
          : `${count(workers, 'process', 'processes')} alive`,
    latency: null,
    since: workers === 0 ? null : started,
  };
}
