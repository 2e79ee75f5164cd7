import type { Agent, AgentOptions } from "node:http";
import { ProvisioningError } from "../../errors/provisioning-error.ts";

/** The proxy for the connection to a server. */
export interface HttpProxy {
  /** May contain a user name and a password. */
  readonly url: string;
  /** The setting that defines it, for messages: "HTTPS_PROXY or HTTP_PROXY". */
  readonly source: string;
}

/**
 * Factories of agents for kinds of proxies that Node.js does not support, by the protocol in the URL of the proxy, for
 * example `socks5:`.
 */
export type ProxyAgentFactories = Readonly<
  Record<string, (proxy: HttpProxy, options: AgentOptions) => Promise<Agent>>
>;

/** True when the agents of this version of Node.js support `proxyEnv`. Older versions ignore the option silently. */
export function canUseProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 25 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

/** Returns `host:port` of a proxy for messages, without its credentials. */
export function toProxyHost({ url }: HttpProxy): string {
  return new URL(url).host;
}

/** Throws `CONNECTIVITY_REFUSED` for a proxy that is not http, https or one of `others`. */
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
 * Returns the options for an agent of Node.js that uses this proxy. Node.js would select a proxy from the whole
 * environment by different rules, so it gets only the selected proxy.
 */
export function toProxyOptions({ url, source }: HttpProxy): Pick<AgentOptions, "proxyEnv"> {
  if (canUseProxy(process.versions.node)) return { proxyEnv: { HTTP_PROXY: url, HTTPS_PROXY: url } };
  throw new ProvisioningError(
    "CONNECTIVITY_REFUSED",
    `the proxy of ${source} needs Node.js 22.21, 24.5 or newer; upgrade, or add the server to NO_PROXY`,
  );
}
