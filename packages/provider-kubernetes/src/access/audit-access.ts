import { throwIfAborted, type Reason } from "@holdfast/core";
import { isThisMachine, proxyFromEnvironment } from "@holdfast/core/adapter";
import type { AccessSettings } from "./access-settings.ts";
import { findKubeconfig } from "./kubeconfig/find-kubeconfig.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./kubeconfig/load-kubeconfig.ts";
import { currentProcessEnvironment, type ProcessEnvironment } from "./kubeconfig/process-environment.ts";

/**
 * Returns the settings that weaken security, from the parameters and the kubeconfig. Connects to no server. Returns an
 * empty list when the settings cannot be read; a probe reports that error.
 */
export async function auditAccess(
  params: AccessSettings,
  signal: AbortSignal,
  environment: ProcessEnvironment = currentProcessEnvironment(),
): Promise<readonly Reason[]> {
  let loaded: LoadedKubeconfig;
  try {
    const source = await findKubeconfig(params, environment, signal);
    loaded = await loadKubeconfig(source, params, environment, signal);
  } catch {
    throwIfAborted(signal);
    return [];
  }
  const { cluster, user } = loaded;
  const { server } = cluster;
  const reasons: Reason[] = [];
  const report = (message: string, details: Reason["details"]) =>
    reasons.push({ code: "CONNECTIVITY_INSECURE", message, details });
  if (cluster.isInsecure && server.startsWith("https:"))
    report(
      `the certificate of the API server ${server} is not verified (insecure-skip-tls-verify of ${cluster.label})`,
      { server, setting: "insecure-skip-tls-verify" },
    );
  if (isUnprotected(server)) {
    const what = sendsCredential(loaded, params)
      ? "a credential is sent to the API server"
      : "members are read from the API server";
    report(`${what} ${server} without TLS`, { server, setting: "server" });
  }
  const proxyUrl = cluster.proxyUrl ?? proxyFromEnvironment(server, environment.env);
  if (proxyUrl !== undefined && isUnprotected(proxyUrl) && new URL(proxyUrl).username !== "") {
    const proxy = new URL(proxyUrl).host;
    report(`the credential of the proxy ${proxy} is sent to it without TLS`, { proxy, setting: "proxy-url" });
  }
  const issuer = user.oidc?.["idp-issuer-url"];
  if (issuer !== undefined && isUnprotected(issuer))
    report("OpenID Connect tokens are renewed without TLS (idp-issuer-url of the kubeconfig)", {
      setting: "idp-issuer-url",
    });
  return reasons;
}

/**
 * True when the connection to this URL leaves this machine without encryption, so that data can be read and forged on
 * the way.
 */
function isUnprotected(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (protocol === "http:" || protocol === "socks5:") && !isThisMachine(hostname.replace(/^\[|\]$/g, ""));
}

/** True when a credential is sent. Client certificates are not considered, because they are used only with TLS. */
function sendsCredential({ user }: LoadedKubeconfig, { token }: AccessSettings): boolean {
  const { token: inline, tokenFile, basic, exec, oidc } = user;
  return [token, inline, tokenFile, basic, exec, oidc].some((each) => each !== undefined);
}
