/**
 * Parses JSON; returns `undefined` for invalid input (which is never a JSON value). There is no error, because the
 * message of `JSON.parse` quotes its input.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
