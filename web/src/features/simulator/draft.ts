import type { SentEvent } from '@/api/events';

import type { Whom } from './view';

export type Row = { key: string; value: string };
export type Draft = {
  type: string;
  whom: Whom;
  email: string;
  lead: string | undefined;
  anonymousId: string;
  /** Properties as rows or as JSON; which of them is sent says `json`. */
  rows: readonly Row[];
  json: boolean;
  text: string;
  /** Empty for now, else as <input type="datetime-local"> has it. */
  at: string;
  test: boolean;
};

export type Problems = Partial<Record<'type' | 'email' | 'lead' | 'properties' | 'at', string>>;

/** A value as it is meant: 5 and true are no texts; "5" in quotes is. */
export function valueOf(written: string): unknown {
  const trimmed = written.trim();
  if (/^(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null)$|^["[{]/.test(trimmed)) {
    try {
      return JSON.parse(trimmed);
    } catch {
      return written;
    }
  }
  return written;
}

export function propertiesOf(rows: readonly Row[]): Record<string, unknown> {
  return Object.fromEntries(
    rows
      .filter(({ key }) => key.trim() !== '')
      .map(({ key, value }) => [key.trim(), valueOf(value)]),
  );
}

/** Rows as JSON, for who goes on there. */
export function toText(rows: readonly Row[]): string {
  return JSON.stringify(propertiesOf(rows), null, 2);
}

/** JSON as rows; null where it is no object. */
export function toRows(text: string): Row[] | null {
  const parsed = parse(text);
  if (parsed === null) return null;
  return Object.entries(parsed).map(([key, value]) => ({ key, value: written(value) }));
}

function written(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  // What would be read as something else keeps its quotes.
  return valueOf(value) === value ? value : JSON.stringify(value);
}

function parse(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The event that a draft says, or what is wrong with it. */
export function eventOf(
  draft: Draft,
  now: number,
): { event: SentEvent; problems: null } | { event: null; problems: Problems } {
  const problems: Problems = {};
  const type = draft.type.trim();
  if (type === '') problems.type = 'What happened?';
  const email = draft.email.trim();
  if (draft.whom === 'email' && !/^\S+@\S+$/.test(email)) {
    problems.email = 'An email address, such as ann@example.com.';
  }
  if (draft.whom === 'lead' && draft.lead === undefined) problems.lead = 'Choose a lead.';
  const properties = draft.json ? parse(draft.text) : propertiesOf(draft.rows);
  if (properties === null) problems.properties = 'Not a JSON object, such as {"plan": "pro"}.';
  const at = draft.at === '' ? null : Date.parse(draft.at);
  if (at !== null && Number.isNaN(at)) problems.at = 'Not a time.';
  else if (at !== null && at > now)
    problems.at = 'That is still to come: choose a time in the past.';
  if (Object.keys(problems).length > 0 || properties === null) return { event: null, problems };
  return {
    event: {
      event: type,
      ...(draft.whom === 'email' && { email }),
      ...(draft.whom === 'lead' && { leadId: draft.lead ?? null }),
      ...(draft.whom === 'anonymous' && { anonymousId: draft.anonymousId }),
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(at !== null && { timestamp: new Date(at).toISOString() }),
      ...(draft.test && { test: true }),
    },
    problems: null,
  };
}
