import { BlockList, isIP, isIPv6 } from "node:net";

const LOOPBACK = createLoopbackList();

function createLoopbackList(): BlockList {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  return list;
}

/** True when an IP address, in the form of `server.address()`, is a loopback address, including `::ffff:127.0.0.1`. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

export interface HostCheckOptions {
  /** The address that the server is bound to. */
  readonly boundAddress: string;
  /** `http.host` of the configuration, which is always allowed. */
  readonly configuredHost: string;
  /** Additional names, without a port. */
  readonly allowedHosts: readonly string[];
}

/**
 * Returns a function that decides whether a request with a given `Host` header is answered. A web page can make its own
 * name resolve to our address ("DNS rebinding"), and the browser then lets it read our responses, but it cannot choose
 * the `Host` header. The bound address decides, however the configuration writes it: on loopback, only loopback names,
 * the configured host and `allowedHosts` are accepted. On any other address every name is accepted unless
 * `allowedHosts` is set. IP addresses are always accepted there, because such an attack needs a name that resolves to
 * us.
 */
export function createHostCheck(options: HostCheckOptions): (hostHeader: string | undefined) => boolean {
  const { boundAddress, configuredHost, allowedHosts } = options;
  const isOnLoopback = isLoopbackAddress(boundAddress);
  if (!isOnLoopback && allowedHosts.length === 0) return () => true;
  const names = new Set([configuredHost, ...allowedHosts].map((name) => toHostName(name) ?? name));
  return (hostHeader) => {
    // Every browser sends the header; HTTP/1.0 health checks of load balancers do not.
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
 * Returns the host of a `Host` header in the form of the URL standard: lower case, `127.1` as `127.0.0.1`, IPv6
 * shortened and in brackets, without port and final dot. Returns `undefined` for anything that is not a host.
 */
function toHostName(text: string): string | undefined {
  if (/[/?#@\\\s]/.test(text)) return undefined;
  const host = isIPv6(text) ? `[${text}]` : text;
  const url = URL.parse(`http://${host}`) ?? URL.parse(`http://${host.replace(/:\d+$/, "")}`);
  return url?.hostname.replace(/\.$/, "");
}
