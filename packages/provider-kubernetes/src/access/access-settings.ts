import type { ClusterSettings } from "../cluster-params.ts";

/** The parameters that determine the address of a cluster and the credentials for it. */
export type AccessSettings = Pick<
  ClusterSettings,
  | "kubeconfig"
  | "context"
  | "server"
  | "caFile"
  | "certFile"
  | "keyFile"
  | "serverName"
  | "token"
  | "execTimeoutMs"
>;

/** Two providers with equal parameters use the same connections and credentials. References to secrets are compared, not secrets. */
export function accessKeyOf(settings: AccessSettings): string {
  const { kubeconfig, context, server, caFile, certFile, keyFile, serverName, token, execTimeoutMs } =
    settings;
  const reference = (given: AccessSettings["token"]) =>
    given === undefined ? null : "env" in given ? { env: given.env } : { file: given.file };
  return JSON.stringify([
    reference(kubeconfig),
    context ?? null,
    server ?? null,
    caFile ?? null,
    certFile ?? null,
    keyFile ?? null,
    serverName ?? null,
    reference(token),
    execTimeoutMs,
  ]);
}
