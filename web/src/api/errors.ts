import type { components } from './schema';

type Problem = components['schemas']['Problem'];
export type FieldProblem = { field: string; message: string };

/** An answer that was none: what the server said (RFC 9457), or that it said nothing. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** 0 when there was no answer at all. */
    readonly status: number,
    /** A stable word, as docs/reference/errors.md lists them; "network" without an answer. */
    readonly code: string,
    detail: string,
    readonly errors: readonly FieldProblem[] = [],
    readonly requestId: string | null = null,
    /** Seconds to wait before another try, where the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  /** What is wrong with a field; names of fields inside others have dots. */
  field(name: string): string | undefined {
    return this.errors.find((error) => error.field === name)?.message;
  }
}

export function isApiError(error: unknown, ...codes: string[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code));
}

/** A sentence for people, of any error. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return 'Something went wrong on this page.';
}

export async function errorOf(response: Response): Promise<ApiError> {
  const problem = await problemOf(response);
  const after = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiError(
    response.status,
    problem?.code ?? 'unknown',
    problem?.detail ?? `The server answered ${response.status}.`,
    problem?.errors ?? [],
    problem?.instance ?? response.headers.get('X-Request-Id'),
    Number.isFinite(after) ? after : null,
  );
}

async function problemOf(response: Response): Promise<Partial<Problem> | null> {
  if (!response.headers.get('Content-Type')?.includes('json')) return null;
  try {
    return (await response.clone().json()) as Partial<Problem>;
  } catch {
    return null;
  }
}
