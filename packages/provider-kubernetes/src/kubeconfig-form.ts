import type { Cluster, Context, User } from "@kubernetes/client-node";
import * as z from "zod";

const text = z.string().nullish();

const contextSchema = z.looseObject({ cluster: z.string(), user: text, namespace: text });

const clusterSchema = z.looseObject({
  server: z.string(),
  caData: text,
  caFile: text,
  tlsServerName: text,
  proxyUrl: text,
  skipTLSVerify: z.boolean().nullish(),
});

const userSchema = z.looseObject({
  token: text,
  username: text,
  password: text,
  certData: text,
  certFile: text,
  keyData: text,
  keyFile: text,
  authProvider: z
    .looseObject({ name: z.string(), config: z.record(z.string(), z.string()).nullish() })
    .nullish(),
});

/**
 * Which part of what was read is not of the form that a kubeconfig has; undefined when all of it is. The library takes
 * whatever stands there, and fails when it is used.
 */
export function findMalformed(parts: {
  readonly context: Context | null;
  readonly cluster: Cluster | null;
  readonly user: User | null;
}): string | undefined {
  if (parts.context !== null && !contextSchema.safeParse(parts.context).success) return "its context";
  if (parts.cluster !== null && !clusterSchema.safeParse(parts.cluster).success) return "its cluster";
  if (parts.user !== null && !userSchema.safeParse(parts.user).success) return "its user";
  return undefined;
}
