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

/** A field of a value that may be anything, as one parsed from JSON; undefined where there is none. */
export function fieldOf(value: unknown, name: string): unknown {
  const hasFields = (typeof value === "object" && value !== null) || typeof value === "function";
  return hasFields ? Reflect.get(value, name) : undefined;
}

/** A field that is a list; empty where it is none. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}
