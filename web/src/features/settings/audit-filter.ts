import type { AuditFilter } from '@/api/settings';

type View = {
  actor: string | undefined;
  action: string | undefined;
  from: string | undefined;
  to: string | undefined;
};

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The filter that an address asks for: days are whole ones, in the reader's own time zone. */
export function auditFilter({ actor, action, from, to }: View): AuditFilter {
  const begin = midnight(from, 0);
  const end = midnight(to, 1);
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(begin !== null && { from: begin }),
    ...(end !== null && { to: end }),
  };
}

function midnight(day: string | undefined, later: number): string | null {
  if (day === undefined || !DAY.test(day)) return null;
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return null;
  at.setDate(at.getDate() + later);
  return at.toISOString();
}

/** The address of the same as a file. */
export function auditFile(projectId: string, filter: AuditFilter, format: 'csv' | 'jsonl'): string {
  const query = new URLSearchParams({ ...filter, format });
  return `/api/projects/${projectId}/audit-log?${query.toString()}`;
}

/** "member.role_changed" → "Member: role changed" */
export function actionWords(action: string): string {
  const [kind = '', what = ''] = action.split('.', 2);
  const words = (text: string) => text.replaceAll('_', ' ');
  const named = words(kind).replace(/^./, (letter) => letter.toUpperCase());
  return what === '' ? named : `${named}: ${words(what)}`;
}
