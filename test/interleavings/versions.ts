// The order of record versions, as format.ts describes them. Changes when their form does.

/** Above 0 where `next` comes after `before`; a new record id comes after every other one. */
export function compareVersions(before: string, next: string): number {
  const [beforeId, ...beforeNumbers] = before.split(".");
  const [nextId, ...nextNumbers] = next.split(".");
  if (beforeId !== nextId) return 1;
  for (const index of [0, 1]) {
    const difference = Number(nextNumbers[index] ?? 0) - Number(beforeNumbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
