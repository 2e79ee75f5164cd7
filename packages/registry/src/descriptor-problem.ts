import { ProvisioningError, type ValidationProblem } from "@holdfast/core";

/** One thing wrong with a submitted descriptor. */
export interface DescriptorProblem extends Omit<ValidationProblem, "code"> {
  readonly code: ValidationProblem["code"] | "VALIDATION_DUPLICATE_ID" | "VALIDATION_UNKNOWN_KIND";
}

/** The code of the whole is the first of these that any problem has. */
const MOST_TELLING: readonly DescriptorProblem["code"][] = [
  "VALIDATION_LITERAL_SECRET",
  "VALIDATION_DUPLICATE_ID",
  "VALIDATION_UNKNOWN_KIND",
  "VALIDATION_MISSING_FIELD",
  "VALIDATION_MALFORMED",
];

const NAMED_IN_MESSAGE = 5;

/** One error for all of them: `details.problems` has every one, the message the first five. */
export function toValidationError(
  problems: readonly DescriptorProblem[],
  subject: string,
): ProvisioningError {
  const code = MOST_TELLING.find((known) => problems.some((problem) => problem.code === known));
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
