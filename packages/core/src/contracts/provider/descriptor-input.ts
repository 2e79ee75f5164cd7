import {
  describeForm,
  formatPath,
  MAX_PROBLEMS,
  type ValidationProblem,
} from "../../errors/validation-problem.ts";
import { isProviderId, PROVIDER_ID_PATTERN, type ProviderId } from "../../model/provider-id.ts";

/** A descriptor as submitted. The adapter's own schema checks `params`. */
export interface ProviderDescriptorInput {
  readonly id: ProviderId;
  readonly kind: string;
  /** An integer from -1000000 to 1000000. */
  readonly priority: number;
  readonly params: Readonly<Record<string, unknown>>;
}

const MAX_KIND_LENGTH = 63;
const MAX_PRIORITY = 1_000_000;

/** For each field, a function that returns what was expected instead of the value, or `undefined` for a valid value. */
const FIELDS: Readonly<Record<keyof ProviderDescriptorInput, (value: unknown) => string | undefined>> = {
  id: (value) => {
    if (typeof value !== "string") return "string";
    return isProviderId(value) ? undefined : `a string matching ${PROVIDER_ID_PATTERN}`;
  },
  kind: (value) => {
    if (typeof value !== "string") return "string";
    if (value === "") return "at least 1 characters";
    return value.length > MAX_KIND_LENGTH ? `at most ${MAX_KIND_LENGTH} characters` : undefined;
  },
  priority: (value) => {
    if (typeof value !== "number") return "number";
    if (!Number.isInteger(value)) return "int";
    if (value < -MAX_PRIORITY) return `at least ${-MAX_PRIORITY}`;
    return value > MAX_PRIORITY ? `at most ${MAX_PRIORITY}` : undefined;
  },
  params: (value) => (isRecord(value) ? undefined : "record"),
};

/**
 * Returns every problem of a submitted descriptor (at most 100), except those inside `params`, with `at` in front of
 * their paths. It does not use a zod schema, because a program that imports this package must not load zod before it
 * needs an adapter.
 */
export function findDescriptorProblems(
  data: unknown,
  at: readonly PropertyKey[] = [],
): readonly ValidationProblem[] {
  if (!isRecord(data)) return [toProblem(at, "object", data)];
  const problems: ValidationProblem[] = [];
  for (const [field, expectedInstead] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(data, field) ? data[field] : undefined;
    const expected = expectedInstead(value);
    if (expected !== undefined) problems.push(toProblem([...at, field], expected, value));
  }
  for (const key of Object.keys(data)) {
    if (problems.length >= MAX_PROBLEMS) break;
    if (!Object.hasOwn(FIELDS, key)) {
      const got = describeForm(data[key]);
      problems.push({
        path: formatPath([...at, key]),
        expected: "no such field",
        got,
        code: "VALIDATION_MALFORMED",
      });
    }
  }
  return problems;
}

export function isDescriptorInput(data: unknown): data is ProviderDescriptorInput {
  return findDescriptorProblems(data).length === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toProblem(path: readonly PropertyKey[], expected: string, value: unknown): ValidationProblem {
  // Only a priority may be quoted. A number in another field may be a misplaced secret.
  const isPriority = path.at(-1) === "priority" && typeof value === "number";
  return {
    path: formatPath(path),
    expected,
    got: isPriority ? String(value) : describeForm(value),
    code: value === undefined ? "VALIDATION_MISSING_FIELD" : "VALIDATION_MALFORMED",
  };
}
