/** The last line of an error, which is where a traceback says what it was. */
export function cause(error: string): string {
  const lines = error
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.at(-1) ?? 'Unknown error';
}
