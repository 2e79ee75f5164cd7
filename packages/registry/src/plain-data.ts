/** Deeper data is refused: it is no configuration, and recursion over it could exhaust the stack. */
const MAX_DEPTH = 64;
/** Longer text of JSON is refused: it is data, which belongs into a file of its own. */
const MAX_LENGTH = 1_048_576;

/** What `toPlainData` takes, in words. */
export const PLAIN_DATA: string = `JSON data of at most ${MAX_LENGTH} characters and ${MAX_DEPTH} levels`;

/**
 * A frozen copy of what JSON can say about a value, which is exactly what a store gives back after a restart. Undefined
 * when JSON cannot say it, or it is longer or deeper than `PLAIN_DATA` says.
 */
export function toPlainData(value: unknown): { readonly data: unknown } | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) return { data: undefined };
    if (text.length > MAX_LENGTH) return undefined;
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
