import type * as z from "zod";

/** One problem of an input: its path, what was expected, and the form of the actual value (never its text). */
export interface ValidationProblem {
  /** `providers[2].params.token`; empty for the whole input. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  readonly code: "VALIDATION_MISSING_FIELD" | "VALIDATION_MALFORMED" | "VALIDATION_LITERAL_SECRET";
}

export const MAX_PROBLEMS = 100;

/** Converts zod's issues (the first hundred), without quoting any text of the input. */
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
  // For a problem of a key, the key is the value to describe.
  const value = issue.code === "invalid_key" ? issue.path.at(-1) : valueAt(input, issue.path);
  const isMissing = value === undefined;
  const custom = issue.code === "custom" ? issue.params : undefined;
  return [
    {
      path: at(issue.path),
      expected: expectedOf(issue),
      got: typeof value === "number" && isAboutNumbers(issue) ? String(value) : describeForm(value),
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
      return issue.values
        .map((value) => (typeof value === "string" ? `"${value}"` : String(value)))
        .join(" or ");
    case "invalid_format":
      if (!issue.message.startsWith("Invalid")) return issue.message;
      return issue.pattern === undefined ? `a valid ${issue.format}` : `a string matching ${issue.pattern}`;
    case "invalid_key":
      return `a key of ${issue.issues.map(expectedOf).join(" and ")}`;
    case "invalid_union":
      // The schema's own message is clearer than a list of the expectations of each branch.
      return issue.message === "Invalid input" ? expectedOfAny(issue.errors) : issue.message;
    default:
      return issue.message;
  }
}

function expectedOfAny(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const texts = branches.map((issues) => issues.map(expectedWithPath).join(" and "));
  return [...new Set(texts)].join(", or ");
}

function expectedWithPath(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? expectedOf(issue) : `${formatPath(issue.path)}: ${expectedOf(issue)}`;
}

/** True when a number was expected, so that the actual number may be quoted. Elsewhere it may be a misplaced secret. */
function isAboutNumbers(issue: z.core.$ZodIssue): boolean {
  switch (issue.code) {
    case "too_small":
    case "too_big":
    case "not_multiple_of":
      return true;
    case "invalid_type":
      return issue.expected === "number" || issue.expected === "int";
    case "invalid_value":
      return issue.values.some((value) => typeof value === "number");
    default:
      return false;
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" || origin === "object" || origin === "record" ? " entries" : "";
}

/** Describes the form of a value without its text or number, which may be a misplaced secret. */
export function describeForm(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const PLAIN_KEY = /^[\w$-]{1,64}$/;
const MAX_KEY = 64;

/**
 * Formats a path such as `providers[2].params.token`. Keys that are not plain words are quoted and truncated:
 * `metadata["a.b"]`.
 */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    const key = String(part);
    if (typeof part === "number") text += `[${part}]`;
    else if (!PLAIN_KEY.test(key)) text += `[${quote(shorten(key))}]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}

function shorten(key: string): string {
  return key.length <= MAX_KEY ? key : `${key.slice(0, MAX_KEY)}…`;
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

/**
 * Quotes a text as JSON on one line. JSON itself does not escape all characters that end lines or control terminals.
 */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
