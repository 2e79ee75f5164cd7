import { createDeadline, ProvisioningError, type Clock } from "@holdfast/core";
import * as z from "zod";
import type { ClusterEntry } from "../kubeconfig/cluster-entry.ts";
import { unusable } from "../kubeconfig/unusable-kubeconfig.ts";
import { parseExecCredential, type ExecCredential } from "./exec-credential.ts";
import { runPlugin } from "./run-plugin.ts";

export interface ExecOptions {
  /** The name of the kubeconfig user in messages. @defaultValue `the kubeconfig` */
  readonly label?: string | undefined;
  /** Passed to plugins with `provideClusterInfo`. */
  readonly cluster: ClusterEntry;
  /** The content of the certificate authority of the cluster. */
  readonly ca: Buffer | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const V1 = "client.authentication.k8s.io/v1";

/** The `exec` section of a kubeconfig user. */
const execSchema = z.object({
  apiVersion: z.enum([V1, "client.authentication.k8s.io/v1beta1"]).default(V1),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string().nullish() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
  interactiveMode: z.enum(["Never", "IfAvailable", "Always"]).nullish(),
});

/**
 * Runs a credential plugin. Throws `CONNECTIVITY_TIMEOUT` when it takes longer than `timeoutMs`, and
 * `CONNECTIVITY_SECRET_UNAVAILABLE` when it fails or does not print a credential. Errors never contain its output.
 */
export async function runExecPlugin(exec: unknown, options: ExecOptions): Promise<ExecCredential> {
  const { label = "the kubeconfig", cluster, ca, clock, timeoutMs, signal } = options;
  const parsed = execSchema.safeParse(exec);
  if (!parsed.success) throw unusable(label, describeIssue(parsed.error.issues[0]));
  const { command, args, env, apiVersion, provideClusterInfo, interactiveMode } = parsed.data;
  if (interactiveMode === "Always")
    throw unavailable(
      `the credential plugin "${command}" needs an interactive terminal, which is not available`,
    );
  using deadline = createDeadline({
    clock,
    signal,
    afterMs: timeoutMs,
    error: () =>
      new ProvisioningError(
        "CONNECTIVITY_TIMEOUT",
        `the credential plugin "${command}" took longer than ${timeoutMs} ms`,
      ),
  });
  const spec = {
    interactive: false,
    ...(provideClusterInfo === true && { cluster: toClusterInfo(cluster, ca) }),
  };
  const output = await runPlugin(
    {
      command,
      args: args ?? [],
      env: {
        ...process.env,
        KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec }),
        ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value ?? ""])),
      },
    },
    deadline.signal,
  );
  const credential = parseExecCredential(output, apiVersion);
  if (credential === undefined)
    throw unavailable(`the credential plugin "${command}" did not print an ExecCredential`);
  return credential;
}

/**
 * Returns `spec.cluster` of an ExecCredential. The certificate authority is always passed as content, even if the
 * kubeconfig names a file.
 */
function toClusterInfo(cluster: ClusterEntry, ca: Buffer | undefined): unknown {
  return {
    server: cluster.server,
    "tls-server-name": cluster.serverName,
    ...(cluster.isInsecure && { "insecure-skip-tls-verify": true }),
    "certificate-authority-data": ca?.toString("base64"),
    "proxy-url": cluster.proxyUrl,
    ...(cluster.disableCompression === true && { "disable-compression": true }),
    config: cluster.execConfig,
  };
}

/** Names the invalid field of the exec section, without its value. */
function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  const field = ["exec", ...(issue?.path ?? [])].join(".");
  if (issue?.code !== "invalid_value") return `${field} does not have the expected form`;
  return `${field}: expected ${issue.values.map(String).join(" or ")}`;
}

function unavailable(message: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message);
}
