import { ProvisioningError, type ValidationProblem } from "@holdfast/core";

/** One thing wrong with a submitted descriptor. */
export interface DescriptorProblem extends Omit<ValidationProblem, "code"> {
  readonly code: ValidationProblem["code"] | "VALIDATION_DUPLICATE_ID" | "VALIDATION_UNKNOWN_KIND";
}

/** Order of precedence: the code of the whole error is the first of these that any problem has. */
const CODES_BY_PRECEDENCE: readonly DescriptorProblem["code"][] = [
  "VALIDATION_LITERAL_SECRET",
  "VALIDATION_DUPLICATE_ID",
  "VALIDATION_UNKNOWN_KIND",
  "VALIDATION_MISSING_FIELD",
  "VALIDATION_MALFORMED",
];

const NAMED_IN_MESSAGE = 5;

/** Combines problems into one error. `details.problems` holds all of them, the message names the first five. */
export function toValidationError(
  problems: readonly DescriptorProblem[],
  subject: string,
): ProvisioningError {
  const code = CODES_BY_PRECEDENCE.find((known) => problems.some((problem) => problem.code === known));
  const named = problems
    .slice(0, NAMED_IN_MESSAGE)
    .map(({ path, expected, got }) => `${path === "" ? "" : `${path}: `}expected ${expected}, got ${got}`);
  const more = problems.length - named.length;
  if (more > 0) named.push(`and ${more} more`);
  return new ProvisioningError(
    code ?? "VALIDATION_MALFORMED",
    `${subject} is not valid: ${named.join("; ")}`,
    {
      details: { problems },
    },
  );
}
