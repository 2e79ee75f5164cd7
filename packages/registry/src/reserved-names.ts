import { describeForm, formatPath, type ValidationProblem } from "@holdfast/core";

const MAX_PROBLEMS = 100;

/**
 * Finds fields named `__proto__` in plain data. Schemas drop them silently, and a copy may treat them as a prototype.
 */
export function findReservedNames(data: unknown, at: readonly PropertyKey[]): readonly ValidationProblem[] {
  return scan(data, at).slice(0, MAX_PROBLEMS);
}

function scan(value: unknown, at: readonly PropertyKey[]): readonly ValidationProblem[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((inner, index) => scan(inner, [...at, index]));
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...at, key];
    if (key !== "__proto__") return scan(inner, path);
    return [
      {
        path: formatPath(path),
        expected: "no such field",
        got: describeForm(inner),
        code: "VALIDATION_MALFORMED",
      },
    ];
  });
}
