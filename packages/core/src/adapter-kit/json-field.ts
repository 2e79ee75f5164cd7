/**
 * Returns an own field of any value, such as parsed JSON, or `undefined`. Inherited properties such as `constructor`
 * are ignored.
 */
export function fieldOf(value: unknown, name: string): unknown {
  const hasField = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  return hasField ? Reflect.get(value, name) : undefined;
}

/** Returns a string field, or `undefined` when it is missing or not a string. */
export function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === "string" ? text : undefined;
}

/** Returns an array field, or an empty array when it is missing or not an array. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}
