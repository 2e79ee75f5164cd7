import type { Reason } from "@holdfast/core";
import { isLoopbackAddress } from "../server/host-check.ts";

/**
 * Returns the insecure aspects of serving the endpoints on this address or name: none on loopback. A name that is not
 * known to be loopback counts as reachable from other machines.
 */
export function auditHttp(host: string): readonly Reason[] {
  if (isLoopbackHost(host)) return [];
  const message =
    `the endpoints listen on ${host}, which other machines can reach, without TLS and without authentication: ` +
    "anyone who can reach this address can read the topology. Set http.host to 127.0.0.1, or restrict access with a proxy or a firewall";
  return [{ code: "CONNECTIVITY_INSECURE", message, details: { setting: "http.host", host } }];
}

function isLoopbackHost(host: string): boolean {
  const { hostname = host } = URL.parse(`http://${host.includes(":") ? `[${host}]` : host}`) ?? {};
  const name = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return /^(?:.+\.)?localhost$/.test(name) || isLoopbackAddress(name);
}
