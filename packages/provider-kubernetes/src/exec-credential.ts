import { execFile, type ChildProcess } from "node:child_process";
import type { Cluster } from "@kubernetes/client-node";
import {
  createDeadline,
  parseJson,
  ProvisioningError,
  throwIfAborted,
  untilAborted,
  type Clock,
} from "@holdfast/core";
import * as z from "zod";

/** What a credential plug-in gives (client.authentication.k8s.io/v1, ExecCredentialStatus). */
export interface ExecCredential {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Wall-clock milliseconds; absent when it does not expire. */
  readonly expiresAt?: number | undefined;
}

export interface ExecOptions {
  /** Told to a plug-in that asks for it. */
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const MAX_OUTPUT = 1_048_576;
const V1 = "client.authentication.k8s.io/v1";

/** The `exec` part of a kubeconfig's user. */
const execSchema = z.object({
  apiVersion: z.enum([V1, "client.authentication.k8s.io/v1beta1"]).default(V1),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
  interactiveMode: z.enum(["Never", "IfAvailable", "Always"]).nullish(),
});

const credentialSchema = z.object({
  kind: z.literal("ExecCredential"),
  apiVersion: z.string(),
  status: z
    .object({
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
      token: z.string().nullish(),
      clientCertificateData: z.string().nullish(),
      clientKeyData: z.string().nullish(),
    })
    .refine(({ token, clientCertificateData: cert, clientKeyData: key }) =>
      Boolean(cert) === Boolean(key) ? Boolean(token) || Boolean(cert) : false,
    ),
});

/**
 * Runs a credential plug-in. Throws `CONNECTIVITY_TIMEOUT` when it takes longer than `timeoutMs`, and
 * `CONNECTIVITY_SECRET_UNAVAILABLE` when it fails or prints something else; it is killed however the wait ends. What it prints
 * is never repeated.
 */
export async function runExecPlugin(exec: unknown, options: ExecOptions): Promise<ExecCredential> {
  const { cluster, clock, timeoutMs, signal } = options;
  const parsed = execSchema.safeParse(exec);
  if (!parsed.success) throw unavailable("the kubeconfig's exec section is malformed");
  const { command, args, env, apiVersion, provideClusterInfo, interactiveMode } = parsed.data;
  if (interactiveMode === "Always")
    throw unavailable(`the credential plug-in "${command}" wants to ask somebody, and nobody is there`);
  using deadline = createDeadline({
    clock,
    signal,
    afterMs: timeoutMs,
    error: () =>
      new ProvisioningError(
        "CONNECTIVITY_TIMEOUT",
        `the credential plug-in "${command}" took over ${timeoutMs} ms`,
      ),
  });
  const spec = {
    interactive: false,
    ...(provideClusterInfo === true && { cluster: toClusterInfo(cluster) }),
  };
  const output = await run(
    command,
    args ?? [],
    {
      ...process.env,
      KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec }),
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    },
    deadline.signal,
  );
  const credential = parseCredential(output, apiVersion);
  if (credential === undefined)
    throw unavailable(`the credential plug-in "${command}" printed no ExecCredential`);
  return credential;
}

/** What a plug-in printed; undefined when that is no ExecCredential of the version. */
export function parseCredential(output: string, apiVersion: string): ExecCredential | undefined {
  const credential = credentialSchema.safeParse(parseJson(output));
  if (!credential.success || credential.data.apiVersion !== apiVersion) return undefined;
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = credential.data.status;
  return {
    token: token || undefined,
    cert: clientCertificateData || undefined,
    key: clientKeyData || undefined,
    expiresAt: expirationTimestamp ? Date.parse(expirationTimestamp) : undefined,
  };
}

/** `spec.cluster` of an ExecCredential. */
function toClusterInfo(cluster: Cluster): unknown {
  return {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.skipTLSVerify,
    "certificate-authority-data": cluster.caData,
    "proxy-url": cluster.proxyUrl,
  };
}

async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  throwIfAborted(signal);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = start(command, args, env, (error, stdout) => {
    if (error === null) resolve(stdout);
    else reject(error);
  });
  // One that reads its input must not wait for it.
  child.stdin?.on("error", () => undefined).end();
  try {
    return await untilAborted(promise, signal);
  } catch (error) {
    // By itself `execFile` would ask an aborted one with SIGTERM only, and wait for its children's output.
    child.kill("SIGKILL");
    child.stdout?.destroy();
    child.stderr?.destroy();
    throwIfAborted(signal);
    // Its message holds the command line and what was printed: `code` is all that is told.
    const code: unknown = Reflect.get(Object(error), "code");
    throw unavailable(`the credential plug-in "${command}" failed (${String(code)})`);
  }
}

/** Throws at once for what no process can be given, such as a NUL; that error quotes the value. */
function start(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  done: (error: Error | null, stdout: string) => void,
): ChildProcess {
  try {
    return execFile(command, args, { env, maxBuffer: MAX_OUTPUT, killSignal: "SIGKILL" }, done);
  } catch {
    throw unavailable("the credential plug-in cannot be started with what the kubeconfig gives it");
  }
}

function unavailable(message: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message);
}
