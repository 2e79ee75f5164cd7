import { delimiter } from "node:path";
import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import { describeFileFailure, readFileWithin, resolveSecret } from "@holdfast/core/adapter";
import type { AccessSettings } from "../access-settings.ts";
import type { KubeconfigText } from "./kubeconfig-file.ts";
import type { ProcessEnvironment } from "./process-environment.ts";
import { describeFile } from "./unusable-kubeconfig.ts";

/** What determines the address of the cluster and the credentials: the parameter `server`, or kubeconfig files. */
export type KubeconfigSource =
  | { readonly kind: "server" }
  /** `named`: the parameters name the kubeconfig. `found`: they do not, so these are the files that kubectl would read; possibly none. */
  | { readonly kind: "named" | "found"; readonly texts: readonly KubeconfigText[] };

/** Largest file that is read. A kubeconfig with hundreds of clusters has a tenth of this size. */
const MAX_BYTES = 4_194_304;

/**
 * Reads the kubeconfig of the parameters, else the files of KUBECONFIG, else `~/.kube/config`. As in client-go, a file
 * that does not exist is skipped, unless the parameters name it. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` for a file
 * that cannot be read or is larger than 4 MiB.
 */
export async function findKubeconfig(
  { kubeconfig, server }: AccessSettings,
  { env, homeKubeconfig }: ProcessEnvironment,
  signal: AbortSignal,
): Promise<KubeconfigSource> {
  if (kubeconfig !== undefined && "env" in kubeconfig) {
    const text = await resolveSecret(kubeconfig, { signal, env, form: "text" });
    return { kind: "named", texts: [{ path: undefined, text }] };
  }
  if (kubeconfig !== undefined) {
    const text = await read(kubeconfig.file, signal);
    if (text === undefined) throw unreadable(kubeconfig.file, "it does not exist");
    return { kind: "named", texts: [text] };
  }
  if (server !== undefined) return { kind: "server" };
  const listed = env["KUBECONFIG"] || homeKubeconfig;
  const paths = new Set(env["KUBECONFIG"] ? listed.split(delimiter) : [listed]);
  const texts: KubeconfigText[] = [];
  for (const path of paths) {
    const text = path === "" ? undefined : await read(path, signal);
    if (text !== undefined) texts.push(text);
  }
  return { kind: "found", texts };
}

/** True when both sources lead to the same result. */
export function isSameSource(a: KubeconfigSource, b: KubeconfigSource): boolean {
  if (a.kind === "server" || b.kind === "server") return a.kind === b.kind;
  const isSameText = (text: KubeconfigText, i: number) =>
    text.path === b.texts[i]?.path && text.text === b.texts[i]?.text;
  return a.kind === b.kind && a.texts.length === b.texts.length && a.texts.every(isSameText);
}

/** Returns undefined when the file does not exist. */
async function read(path: string, signal: AbortSignal): Promise<KubeconfigText | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(path, { maxBytes: MAX_BYTES, signal });
  } catch (error) {
    throwIfAborted(signal);
    if (Reflect.get(Object(error), "code") === "ENOENT") return undefined;
    throw unreadable(path, describeFileFailure(error), error);
  }
  if (bytes === undefined) throw unreadable(path, `it is larger than ${MAX_BYTES} bytes`);
  return { path, text: bytes.toString() };
}

function unreadable(path: string, why: string, cause?: unknown): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_SECRET_UNAVAILABLE",
    `${describeFile(path)} could not be read: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
