/**
 * The names of everything that is cached, from the general to the particular: to invalidate
 * `keys.leads.all` is to invalidate every list and every part of every lead.
 */
export const keys = {
  me: ['me'] as const,
  options: ['options'] as const,
  health: ['health'] as const,
  leads: {
    all: ['leads'] as const,
    lists: ['leads', 'list'] as const,
    list: (params: object) => ['leads', 'list', params] as const,
    one: (id: string) => ['leads', 'one', id] as const,
    part: (id: string, part: string, params: object = {}) =>
      ['leads', 'one', id, part, params] as const,
  },
  leaderboard: {
    all: ['leaderboard'] as const,
    top: (limit: number) => ['leaderboard', 'top', limit] as const,
    byStage: ['leaderboard', 'by-stage'] as const,
  },
  events: {
    all: ['events'] as const,
    list: (params: object) => ['events', 'list', params] as const,
    one: (id: string) => ['events', 'one', id] as const,
  },
  analytics: {
    all: ['analytics'] as const,
    part: (part: string, params: object = {}) => ['analytics', part, params] as const,
  },
  model: {
    all: ['model'] as const,
    part: (part: string, params: object = {}) => ['model', part, params] as const,
  },
  notifications: ['notifications'] as const,
  imports: {
    all: ['imports'] as const,
    list: ['imports', 'list'] as const,
    one: (id: string) => ['imports', 'one', id] as const,
    preview: (file: string, columns: object) => ['imports', 'preview', file, columns] as const,
  },
  project: {
    all: (id: string) => ['project', id] as const,
    part: (id: string, part: string, params: object = {}) => ['project', id, part, params] as const,
  },
  admin: {
    all: ['admin'] as const,
    part: (part: string, params: object = {}) => ['admin', part, params] as const,
  },
};
