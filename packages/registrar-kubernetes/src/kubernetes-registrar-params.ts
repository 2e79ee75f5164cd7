import { secretReferenceSchema, type SecretReference, type WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** How a Kubernetes registrar announces this process. Without parameters, by its readiness alone. */
export interface KubernetesRegistrarParams {
  /** Labels that the pod of this process has while it is announced. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The type of a readiness gate of the pod, which is true while it is announced. @defaultValue none */
  readonly readinessGate?: string | undefined;
  /** Milliseconds between two checks that the pod still has the labels and the condition. @defaultValue 30000 */
  readonly checkMs?: number | undefined;
  /** The pod of this process. @defaultValue POD_NAME, or HOSTNAME */
  readonly podName?: string | undefined;
  /** The namespace of the pod. @defaultValue POD_NAMESPACE, or the namespace of its service account */
  readonly namespace?: string | undefined;
  /** The API server, as `https://host:port`. @defaultValue that of the pod */
  readonly server?: string | undefined;
  /** A file with the trusted certificates in PEM format. @defaultValue that of the service account */
  readonly caFile?: string | undefined;
  /** A reference to a token. It is read again for every call. @defaultValue that of the service account */
  readonly token?: SecretReference | undefined;
}

/** `KubernetesRegistrarParams` with the defaults filled in. */
export type KubernetesRegistrarSettings = WithDefaults<KubernetesRegistrarParams, "checkMs">;

const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;
/** A qualified name, such as `example.com/announced`. */
const QUALIFIED = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
/** The name of a namespace or pod: a DNS subdomain. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

export const kubernetesRegistrarParamsSchema: z.ZodType<
  KubernetesRegistrarSettings,
  KubernetesRegistrarParams
> = z.strictObject({
  labels: z.record(z.string().regex(QUALIFIED), z.string().regex(LABEL_VALUE)).optional(),
  readinessGate: z.string().regex(QUALIFIED).optional(),
  checkMs: z.int().min(500).max(3_600_000).default(30_000),
  podName: z.string().regex(NAME).optional(),
  namespace: z.string().regex(NAME).optional(),
  server: z
    .string()
    .max(512)
    .regex(ORIGIN)
    .refine((text) => URL.canParse(text))
    .optional(),
  caFile: z.string().min(1).max(4_096).optional(),
  token: secretReferenceSchema.optional(),
});
