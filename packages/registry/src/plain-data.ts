/** Deeper data is refused: it is no configuration, and recursion over it could exhaust the stack. */
export const MAX_DEPTH = 64;

/**
 * A frozen copy of what JSON can say about a value, which is exactly what a store gives back after a restart. Undefined
 * when JSON cannot say it, or it is deeper than `MAX_DEPTH`.
 */
export function toPlainData(value: unknown): { readonly data: unknown } | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) return { data: undefined };
    const data: unknown = JSON.parse(text, (_, inner: unknown) => Object.freeze(inner));
    return isDeeperThan(MAX_DEPTH, data) ? undefined : { data };
  } catch {
    return undefined;
  }
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
