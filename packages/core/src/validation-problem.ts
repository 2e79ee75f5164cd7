import type * as z from "zod";

/** One thing wrong with an input: where, what was expected, and what stood there (its form, never its text). */
export interface ValidationProblem {
  /** `providers[2].params.token`; empty for the whole input. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  readonly code: "VALIDATION_MISSING_FIELD" | "VALIDATION_MALFORMED" | "VALIDATION_LITERAL_SECRET";
}

const MAX_PROBLEMS = 100;

/** Names every problem zod found (the first hundred), without repeating any text of the input. */
export function toValidationProblems(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  prefix: readonly PropertyKey[] = [],
): readonly ValidationProblem[] {
  return issues.flatMap((issue) => toProblems(issue, input, prefix)).slice(0, MAX_PROBLEMS);
}

function toProblems(
  issue: z.core.$ZodIssue,
  input: unknown,
  prefix: readonly PropertyKey[],
): readonly ValidationProblem[] {
  const at = (path: readonly PropertyKey[]) => formatPath([...prefix, ...path]);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: at([...issue.path, key]),
      expected: "no such field",
      got: describeForm(valueAt(input, [...issue.path, key])),
      code: "VALIDATION_MALFORMED",
    }));
  }
  const value = valueAt(input, issue.path);
  const isMissing = value === undefined;
  const custom = issue.code === "custom" ? issue.params : undefined;
  return [
    {
      path: at(issue.path),
      expected: expectedOf(issue),
      got: isMissing ? "nothing" : describeForm(value),
      code:
        custom?.["code"] === "VALIDATION_LITERAL_SECRET"
          ? "VALIDATION_LITERAL_SECRET"
          : isMissing
            ? "VALIDATION_MISSING_FIELD"
            : "VALIDATION_MALFORMED",
    },
  ];
}

function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(" or ");
    case "invalid_format":
      return `a ${issue.format}${issue.pattern === undefined ? "" : ` matching ${issue.pattern}`}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" || origin === "object" || origin === "record" ? " entries" : "";
}

/** Says what a value is without saying its text, which may be a secret in the wrong place. */
export function describeForm(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value === "string") return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = Reflect.get(value, part);
  }
  return value;
}
