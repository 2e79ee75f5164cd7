import { formatPath } from "@holdfast/core";

/** A placeholder that no value exists for. */
export interface UnknownPlaceholder {
  /** The path of the text that contains it. */
  readonly path: string;
  /** Without the braces. */
  readonly name: string;
}

/** Braces around anything else are text, as in `matches "a{2}"`. */
const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/** Finds the placeholders of all texts of a JSON value whose names are not among `known`. */
export function findUnknownPlaceholders(
  template: unknown,
  known: ReadonlySet<string>,
  at: readonly PropertyKey[],
): readonly UnknownPlaceholder[] {
  if (typeof template === "string") {
    const path = formatPath(at);
    return [...template.matchAll(PLACEHOLDER)].flatMap(([, name]) =>
      name === undefined || known.has(name) ? [] : [{ path, name }],
    );
  }
  if (typeof template !== "object" || template === null) return [];
  if (Array.isArray(template)) {
    return template.flatMap((inner: unknown, index) => findUnknownPlaceholders(inner, known, [...at, index]));
  }
  return Object.entries(template).flatMap(([key, inner]: [string, unknown]) =>
    findUnknownPlaceholders(inner, known, [...at, key]),
  );
}
