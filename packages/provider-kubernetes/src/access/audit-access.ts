import { throwIfAborted, type Reason } from "@holdfast/core";
import { isThisMachine, proxyFromEnvironment } from "@holdfast/core/adapter";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import { findKubeconfig } from "./kubeconfig/find-kubeconfig.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./kubeconfig/load-kubeconfig.ts";
import { currentSurroundings, type Surroundings } from "./kubeconfig/surroundings.ts";

/**
 * The settings that weaken security, read from the parameters and the kubeconfig; nothing is connected to. Empty when these cannot be
 * read: a probe reports that.
 */
export async function auditAccess(
  params: KubernetesSettings,
  signal: AbortSignal,
  surroundings: Surroundings = currentSurroundings(),
): Promise<readonly Reason[]> {
  let loaded: LoadedKubeconfig;
  try {
    const source = await findKubeconfig(params, surroundings, signal);
    loaded = await loadKubeconfig(source, params, surroundings, signal);
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
  if (isOpenTo(server)) {
    const what = sendsCredential(loaded, params)
      ? "a credential is sent to the API server"
      : "members are read from the API server";
    report(`${what} ${server} without TLS`, { server, setting: "server" });
  }
  const proxyUrl = cluster.proxyUrl ?? proxyFromEnvironment(server, surroundings.env);
  if (proxyUrl !== undefined && isOpenTo(proxyUrl) && new URL(proxyUrl).username !== "") {
    const proxy = new URL(proxyUrl).host;
    report(`the credential of the proxy ${proxy} is sent to it without TLS`, { proxy, setting: "proxy-url" });
  }
  const issuer = user.oidc?.["idp-issuer-url"];
  if (issuer !== undefined && isOpenTo(issuer))
    report("OpenID Connect tokens are renewed without TLS (idp-issuer-url of the kubeconfig)", {
      setting: "idp-issuer-url",
    });
  return reasons;
}

/** What is sent there can be read, and what comes from there forged, on the way to another machine. */
function isOpenTo(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (protocol === "http:" || protocol === "socks5:") && !isThisMachine(hostname.replace(/^\[|\]$/g, ""));
}

/** A client certificate is only sent with TLS. */
function sendsCredential({ user }: LoadedKubeconfig, { token }: KubernetesSettings): boolean {
  const { token: inline, tokenFile, basic, exec, oidc } = user;
  return [token, inline, tokenFile, basic, exec, oidc].some((each) => each !== undefined);
}
