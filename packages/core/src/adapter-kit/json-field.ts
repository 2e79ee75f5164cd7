/**
 * A field of a value that may be anything, as one parsed from JSON; undefined where there is none. What every object inherits,
 * such as `constructor`, is none of its fields.
 */
export function fieldOf(value: unknown, name: string): unknown {
  const hasField = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  return hasField ? Reflect.get(value, name) : undefined;
}

/** A field that is a text; undefined where it is none. */
export function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === "string" ? text : undefined;
}

/** A field that is a list; empty where it is none. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}
