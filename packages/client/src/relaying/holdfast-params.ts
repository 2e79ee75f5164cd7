import {
  secretReferenceSchema,
  tlsFilesSchema,
  type SecretReference,
  type TlsFiles,
} from "@holdfast/core/adapter";
import * as z from "zod";
import { EXPECTED_ORIGIN, isOrigin } from "../connection/daemon-origin.ts";

/** Which daemon a provider follows. Only `url` is required. */
export interface HoldfastParams {
  /** The address of the daemon's HTTP endpoints, `http://HOST:PORT` or `https://HOST:PORT`, without a path. */
  readonly url: string;
  /** Sent as a bearer token, for a proxy in front of the daemon that asks for one. @defaultValue no token */
  readonly token?: SecretReference | undefined;
  /** For https. @defaultValue the certificates that Node trusts */
  readonly tls?: TlsFiles | undefined;
}

export const holdfastParamsSchema: z.ZodType<HoldfastParams, HoldfastParams> = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .refine(isOrigin, EXPECTED_ORIGIN)
    .describe("The address of the daemon's HTTP endpoints, for example http://10.0.0.5:7420."),
  token: secretReferenceSchema
    .optional()
    .describe("A bearer token, for a proxy in front of the daemon that asks for one."),
  tls: tlsFilesSchema.optional().describe("For https addresses."),
});
