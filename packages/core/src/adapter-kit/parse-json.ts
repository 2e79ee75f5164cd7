/**
 * Parses JSON; undefined when it is none, which no JSON is. For what must not say more: the message of `JSON.parse` quotes
 * the text.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
