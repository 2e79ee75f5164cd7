import { secretReferenceSchema } from "@holdfast/core/adapter";
import * as z from "zod";

const MIB = 1_048_576;

/** Strict, so that a misspelt parameter is an error. Editors show the descriptions. */
export const rosterParamsSchema = z.strictObject({
  /** The URL of the members, for example http://127.0.0.1:7480/members. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .describe("The URL of the members, for example http://127.0.0.1:7480/members."),
  /** A reference to the bearer token, which is read again for every request. */
  token: secretReferenceSchema
    .optional()
    .describe("A reference to the bearer token, which is read again for every request."),
  /** The maximum length of a response, in bytes. A longer response is an error. @defaultValue 16777216 */
  maxBytes: z
    .int()
    .min(1)
    .max(512 * MIB)
    .default(16 * MIB)
    .describe("The maximum length of a response, in bytes. A longer response is an error."),
});

export type RosterParams = z.output<typeof rosterParamsSchema>;
