import type * as z from "zod";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { toValidationProblems } from "../errors/validation-problem.ts";

/**
 * Checks parameters that a program passes, and fills in the defaults. Throws `VALIDATION_MALFORMED` with every problem
 * in `details.problems`; the message has the first one. Texts are not quoted, because they may be misplaced secrets.
 */
export function parseParams<P>(schema: z.ZodType<P>, params: unknown, what: string): P {
  const result = schema.safeParse(params);
  if (result.success) return result.data;
  const problems = toValidationProblems(result.error.issues, params);
  const [first] = problems;
  const where = first === undefined ? "" : `: ${first.path} is ${first.got}, expected ${first.expected}`;
  throw new ProvisioningError("VALIDATION_MALFORMED", `${what} are malformed${where}`, {
    details: { problems },
  });
}
