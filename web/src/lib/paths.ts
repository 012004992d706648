/** Where a lead is shown. */
export function leadPath(id: string): string {
  return `/leads/${id}`;
}
