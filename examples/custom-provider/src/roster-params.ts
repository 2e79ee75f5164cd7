import { secretReferenceSchema } from "@holdfast/core/adapter";
import * as z from "zod";

const MIB = 1_048_576;

/** Strict, so that a misspelt parameter is refused. Editors show the descriptions. */
export const rosterParamsSchema = z.strictObject({
  /** Where the members are, for example http://127.0.0.1:7480/members. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .describe("Where the members are, for example http://127.0.0.1:7480/members."),
  /** The bearer token, by reference; read again for every request. */
  token: secretReferenceSchema
    .optional()
    .describe("The bearer token, by reference; read again for every request."),
  /** A longer answer is refused. @defaultValue 16777216 */
  maxBytes: z
    .int()
    .min(1)
    .max(512 * MIB)
    .default(16 * MIB)
    .describe("A longer answer is refused."),
});

export type RosterParams = z.output<typeof rosterParamsSchema>;
