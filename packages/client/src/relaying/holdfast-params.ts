import type { TopologyName } from "@holdfast/core";
import {
  secretReferenceSchema,
  tlsFilesSchema,
  TOPOLOGY_NAME_PATTERN,
  type SecretReference,
  type TlsFiles,
  type WithDefaults,
} from "@holdfast/core/adapter";
import * as z from "zod";
import { EXPECTED_ORIGIN, isOrigin } from "../connection/daemon-origin.ts";

/** Which daemon a provider follows. Only `url` is required. */
export interface HoldfastParams {
  /** The address of the daemon's HTTP endpoints, `http://HOST:PORT` or `https://HOST:PORT`, without a path. */
  readonly url: string;
  /** Which of the daemon's topologies. @defaultValue its default topology */
  readonly topology?: TopologyName | undefined;
  /** Sent as a bearer token, for a proxy in front of the daemon that asks for one. @defaultValue no token */
  readonly token?: SecretReference | undefined;
  /**
   * How long the daemon's content may be stale, in milliseconds, before the daemon counts as failed. Without a limit, daemons that follow
   * each other would hold stale content for ever after all of their backends have failed. @defaultValue 60000
   */
  readonly maxStaleMs?: number | "any" | undefined;
  /** For https. @defaultValue the certificates that Node trusts */
  readonly tls?: TlsFiles | undefined;
}

/** `HoldfastParams` with the defaults filled in. */
export type HoldfastSettings = WithDefaults<HoldfastParams, "maxStaleMs">;

export const holdfastParamsSchema: z.ZodType<HoldfastSettings, HoldfastParams> = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .refine(isOrigin, EXPECTED_ORIGIN)
    .describe("The address of the daemon's HTTP endpoints, for example http://10.0.0.5:7420."),
  topology: z
    .string()
    .regex(TOPOLOGY_NAME_PATTERN, "the name of a topology")
    .optional()
    .describe("Which of the daemon's topologies; its default topology when absent."),
  token: secretReferenceSchema
    .optional()
    .describe("A bearer token, for a proxy in front of the daemon that asks for one."),
  maxStaleMs: z
    .union([z.int().min(0).max(86_400_000), z.literal("any")])
    .default(60_000)
    .describe(
      "How long the daemon's content may be stale, in milliseconds, before the daemon counts as failed, or any.",
    ),
  tls: tlsFilesSchema.optional().describe("For https addresses."),
});
