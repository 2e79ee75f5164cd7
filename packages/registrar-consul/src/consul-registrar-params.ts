import {
  secretReferenceSchema,
  tlsFilesSchema,
  type SecretReference,
  type TlsFiles,
  type WithDefaults,
} from "@holdfast/core/adapter";
import * as z from "zod";

/** The agent requests this URL; the process lives while it responds with a status of 2xx. */
export interface ConsulHttpCheck {
  /** Reachable from the agent, such as `http://10.0.0.5:8080/readyz`. */
  readonly http: string;
  /** Milliseconds between two requests. @defaultValue 5000 */
  readonly intervalMs?: number | undefined;
  /** How long a response may take, in milliseconds. @defaultValue 2000 */
  readonly timeoutMs?: number | undefined;
}

/** Where a Consul registrar announces this process. Only `service` is required. */
export interface ConsulRegistrarParams {
  /** The name of the service of which this process is an instance. */
  readonly service: string;
  /**
   * The agent of this machine, as `http://host:port` or `https://host:port`. An instance belongs to the agent that
   * registered it, so there is only one. @defaultValue "http://127.0.0.1:8500"
   */
  readonly address?: string | undefined;
  /** After this many milliseconds without a beat, this process is no longer passing. @defaultValue 10000 */
  readonly ttlMs?: number | undefined;
  /** The agent requests a URL of this process, instead of waiting for beats. @defaultValue beats */
  readonly check?: ConsulHttpCheck | undefined;
  /**
   * After this many milliseconds in which it was not passing, Consul removes the instance. Consul's minimum is a minute.
   * @defaultValue 300000
   */
  readonly deregisterAfterMs?: number | undefined;
  /** A reference to the ACL token, `{ env }` or `{ file }`. It is read again for every call. */
  readonly token?: SecretReference | undefined;
  /** The TLS files for an https address. They are read again for every call. */
  readonly tls?: TlsFiles | undefined;
  /** The namespace (Consul Enterprise). */
  readonly namespace?: string | undefined;
  /** The admin partition (Consul Enterprise). */
  readonly partition?: string | undefined;
  /** The metadata key for the zone. @defaultValue "zone" */
  readonly zoneMeta?: string | undefined;
}

interface HttpCheckSettings {
  readonly http: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** `ConsulRegistrarParams` with the defaults filled in. */
export type ConsulRegistrarSettings = WithDefaults<
  Omit<ConsulRegistrarParams, "check">,
  "address" | "ttlMs" | "deregisterAfterMs" | "zoneMeta"
> & { readonly check?: HttpCheckSettings | undefined };

const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;
const DAY_MS = 86_400_000;

const name: z.ZodString = z.string().min(1).max(512);

export const consulRegistrarParamsSchema: z.ZodType<ConsulRegistrarSettings, ConsulRegistrarParams> =
  z.strictObject({
    service: name,
    address: z
      .string()
      .max(512)
      .regex(ORIGIN)
      .refine((text) => URL.canParse(text))
      .default("http://127.0.0.1:8500"),
    ttlMs: z.int().min(500).max(DAY_MS).default(10_000),
    check: z
      .strictObject({
        http: z
          .string()
          .max(2_048)
          .regex(/^https?:\/\//)
          .refine((text) => URL.canParse(text)),
        intervalMs: z.int().min(100).max(DAY_MS).default(5_000),
        timeoutMs: z.int().min(100).max(DAY_MS).default(2_000),
      })
      .optional(),
    deregisterAfterMs: z.int().min(60_000).max(DAY_MS).default(300_000),
    token: secretReferenceSchema.optional(),
    tls: tlsFilesSchema.optional(),
    namespace: name.optional(),
    partition: name.optional(),
    zoneMeta: z
      .string()
      .regex(/^[\w-]{1,128}$/)
      .default("zone"),
  });
