import type { Agent, AgentOptions } from "node:http";
import { ProvisioningError } from "../../errors/provisioning-error.ts";

/** The proxy on the way to a server. */
export interface HttpProxy {
  /** May contain a user name and a password. */
  readonly url: string;
  /** What names it, for messages: "HTTPS_PROXY or HTTP_PROXY". */
  readonly source: string;
}

/** Makes agents for kinds of proxies that Node.js does not support, by the protocol of the proxy's URL, for example `socks5:`. */
export type ProxyAgentFactories = Readonly<
  Record<string, (proxy: HttpProxy, options: AgentOptions) => Promise<Agent>>
>;

/** Whether this version of Node.js has agents with `proxyEnv`. An older one would ignore the option without a notice. */
export function canUseProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 25 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

/** `host:port` of a proxy, without its credentials, for messages. */
export function toProxyHost({ url }: HttpProxy): string {
  return new URL(url).host;
}

/** Throws `CONNECTIVITY_REFUSED` for a proxy of another kind than http, https and `others`. */
export function assertProxy({ url, source }: HttpProxy, others: ProxyAgentFactories): void {
  const kinds = ["http:", "https:", ...Object.keys(others)];
  if (URL.canParse(url) && new URL(url).host !== "" && kinds.includes(new URL(url).protocol)) return;
  const names = kinds.map((kind) => kind.slice(0, -1)).join(", ");
  throw new ProvisioningError(
    "CONNECTIVITY_REFUSED",
    `the proxy (${source}) is not a URL of one of these kinds: ${names}`,
  );
}

/**
 * The options of an agent of Node.js that uses this proxy. Node.js would choose by the whole environment and by rules of its own; it gets
 * only a proxy that is already chosen.
 */
export function toProxyOptions({ url, source }: HttpProxy): Pick<AgentOptions, "proxyEnv"> {
  if (canUseProxy(process.versions.node)) return { proxyEnv: { HTTP_PROXY: url, HTTPS_PROXY: url } };
  throw new ProvisioningError(
    "CONNECTIVITY_REFUSED",
    `a proxy is to be used (${source}): that needs Node.js 22.21, 24.5 or newer, or an entry in NO_PROXY`,
  );
}
