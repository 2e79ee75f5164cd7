import { secretReferenceSchema, type SecretReference } from "@holdfast/core/adapter";
import * as z from "zod";

export interface RosterParams {
  readonly url: string;
  readonly token?: SecretReference | undefined;
  /** A longer answer is refused. */
  readonly maxBytes: number;
}

const MIB = 1_048_576;

/** Strict, so that a misspelt parameter is told; the descriptions are what editors show. */
export const rosterParamsSchema: z.ZodType<RosterParams> = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .describe("Where the members are, for example http://127.0.0.1:7480/members."),
  token: secretReferenceSchema
    .optional()
    .describe("The bearer token, by reference; read again for every request."),
  maxBytes: z
    .int()
    .min(1)
    .max(512 * MIB)
    .default(16 * MIB)
    .describe("A longer answer is refused."),
});
