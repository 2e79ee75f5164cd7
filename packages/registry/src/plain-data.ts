/** Deeper data is refused: it is not a sensible configuration, and recursion over it could exhaust the stack. */
const MAX_DEPTH = 64;
/** Longer JSON is refused: it is data, which belongs in a separate file. */
const MAX_LENGTH = 1_048_576;

/** Describes the input that `toPlainData` accepts, for error messages. */
export const PLAIN_DATA: string = `JSON data of at most ${MAX_LENGTH} characters and ${MAX_DEPTH} levels`;

/**
 * Returns a frozen copy of what JSON can represent of a value, which is exactly what a store returns after a restart.
 * Returns `undefined` when JSON cannot represent it, or when it exceeds the limits in `PLAIN_DATA`.
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
