import { execFile } from "node:child_process";
import { createDeadline, ProvisioningError, throwIfAborted, type Clock } from "@holdfast/core";
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
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const MAX_OUTPUT = 1_048_576;

/** The `exec` part of a kubeconfig's user. */
const execSchema = z.object({
  apiVersion: z.string().default("client.authentication.k8s.io/v1"),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

const credentialSchema = z.object({
  status: z.object({
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
  }),
});

/**
 * Runs a credential plug-in. Throws `CONNECTIVITY_TIMEOUT` when it takes longer than `timeoutMs`, and
 * `CONNECTIVITY_SECRET_UNAVAILABLE` when it fails or prints something else; it is killed however the wait ends. What it prints
 * is never repeated.
 */
export async function runExecPlugin(exec: unknown, options: ExecOptions): Promise<ExecCredential> {
  const { clock, timeoutMs, signal } = options;
  const parsed = execSchema.safeParse(exec);
  if (!parsed.success) throw unavailable("the kubeconfig's exec section is malformed");
  const { command, args, env, apiVersion } = parsed.data;
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
  const info = { kind: "ExecCredential", apiVersion, spec: { interactive: false } };
  const output = await run(
    command,
    args ?? [],
    {
      ...process.env,
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    },
    deadline.signal,
  );
  const credential = credentialSchema.safeParse(toJson(output));
  if (!credential.success) throw unavailable(`the credential plug-in "${command}" printed no ExecCredential`);
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = credential.data.status;
  return {
    token,
    cert: clientCertificateData,
    key: clientKeyData,
    expiresAt: expirationTimestamp === undefined ? undefined : Date.parse(expirationTimestamp),
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
  const options = { env, signal, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT } as const;
  execFile(command, args, options, (error, stdout) => {
    if (error === null) resolve(stdout);
    else reject(error);
  });
  try {
    return await promise;
  } catch (error) {
    throwIfAborted(signal);
    // Its message holds the command line and what was printed: `code` is all that is told.
    const code: unknown = Reflect.get(Object(error), "code");
    throw unavailable(`the credential plug-in "${command}" failed (${String(code)})`);
  }
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unavailable(message: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message);
}
