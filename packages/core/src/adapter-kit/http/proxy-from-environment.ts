import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the proxy for a server that the environment variables define, by the rules of Go's `net/http`
 * (ProxyFromEnvironment), which kubectl and Consul's own tools follow: HTTPS_PROXY or HTTP_PROXY by the server's
 * scheme; none for this machine and for hosts that NO_PROXY lists. It may contain a password.
 */
export function proxyFromEnvironment(server: string, env: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(server);
  const isTls = protocol === "https:";
  const proxy = isTls ? pick(env, "HTTPS_PROXY") : pick(env, "HTTP_PROXY");
  if (proxy === "") return undefined;
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (isThisMachine(host)) return undefined;
  const noProxy = pick(env, "NO_PROXY").split(",");
  if (noProxy.some((entry) => covers(entry.trim().toLowerCase(), host, port || (isTls ? "443" : "80"))))
    return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/** True for `localhost` and loopback addresses. `host` has the form it has in a URL, without brackets. */
export function isThisMachine(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1" || host.startsWith("::ffff:7f");
}

function pick(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

/**
 * Matches an entry of NO_PROXY: `*`, an address, a CIDR block, a name with its subdomains, or `.name` for the
 * subdomains only; a port may follow.
 */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const cidr = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  if (cidr !== null) return isInSubnet(host, cidr[1]!, Number(cidr[2]));
  const [, bracketed, named, onlyPort] =
    isIP(entry) === 0 ? (/^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? []) : [];
  const name = bracketed ?? named ?? entry;
  if (onlyPort !== undefined && onlyPort !== port) return false;
  if (isIP(name) !== 0) return isInSubnet(host, name, isIP(name) === 4 ? 32 : 128);
  const domain = name.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (domain === name && host === domain);
}

function isInSubnet(host: string, network: string, prefix: number): boolean {
  if (isIP(host) === 0 || isIP(host) !== isIP(network) || prefix > (isIP(network) === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, familyOf(network));
  return list.check(host, familyOf(host));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
