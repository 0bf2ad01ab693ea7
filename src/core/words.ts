// Small words that depend on a number.

/** `1 second`, `5 seconds`: a count with its unit, of which the plural is regular. */
export function counted(count: number, unit: string): string {
  return `${String(count)} ${unit}${count === 1 ? "" : "s"}`;
}
