import { BlockList, isIP, isIPv6 } from "node:net";

const LOOPBACK = createLoopbackList();

function createLoopbackList(): BlockList {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  return list;
}

/** Whether an IP address, as `server.address()` reports it, is a loopback address; `::ffff:127.0.0.1` is one too. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

export interface HostCheckOptions {
  /** The address that the server is bound to. */
  readonly boundAddress: string;
  /** `http.host` of the configuration: its own name is always allowed. */
  readonly configuredHost: string;
  /** Further names, without a port. */
  readonly allowedHosts: readonly string[];
}

/**
 * Whether a request with this `Host` header is answered. A web page can make its own name resolve to our address ("DNS
 * rebinding") and the browser then lets it read our responses, but it cannot choose the `Host` header. The bound address
 * decides, however the configuration spells it: on loopback, only loopback names, the configured host and `allowedHosts`
 * are accepted. On any other address every name is accepted unless `allowedHosts` is set; IP addresses always are,
 * because a name that resolves to us is what such an attack needs.
 */
export function createHostCheck(options: HostCheckOptions): (hostHeader: string | undefined) => boolean {
  const { boundAddress, configuredHost, allowedHosts } = options;
  const isOnLoopback = isLoopbackAddress(boundAddress);
  if (!isOnLoopback && allowedHosts.length === 0) return () => true;
  const names = new Set([configuredHost, ...allowedHosts].map((name) => toHostName(name) ?? name));
  return (hostHeader) => {
    // Every browser sends it; HTTP/1.0 health checks of load balancers do not.
    if (hostHeader === undefined) return true;
    const name = toHostName(hostHeader);
    if (name === undefined) return false;
    const address = name.replace(/^\[(.*)\]$/, "$1");
    return (
      names.has(name) ||
      isLoopbackAddress(address) ||
      /^(?:.+\.)?localhost$/.test(name) ||
      (!isOnLoopback && isIP(address) !== 0)
    );
  };
}

/**
 * The host part of a `Host` header as the URL standard writes it: lower case, `127.1` as `127.0.0.1`, IPv6 short and in
 * brackets, without port and final dot. Undefined for anything that is not a host.
 */
function toHostName(text: string): string | undefined {
  if (/[/?#@\\\s]/.test(text)) return undefined;
  const host = isIPv6(text) ? `[${text}]` : text;
  const url = URL.parse(`http://${host}`) ?? URL.parse(`http://${host.replace(/:\d+$/, "")}`);
  return url?.hostname.replace(/\.$/, "");
}
