import type { Reason } from "@holdfast/core";
import { isLoopbackAddress } from "../server/host-check.ts";

/**
 * What is insecure about serving the endpoints on this address or name: nothing on loopback. A name that is not known to be
 * loopback counts as one that other machines reach.
 */
export function auditHttp(host: string): readonly Reason[] {
  if (isLoopbackHost(host)) return [];
  const message =
    `the endpoints listen on ${host}, beyond this machine, without TLS and without a credential: ` +
    "everyone who reaches this address can read the topology. Set http.host to 127.0.0.1, or restrict access with a proxy or a firewall";
  return [{ code: "CONNECTIVITY_INSECURE", message, details: { setting: "http.host", host } }];
}

function isLoopbackHost(host: string): boolean {
  const { hostname = host } = URL.parse(`http://${host.includes(":") ? `[${host}]` : host}`) ?? {};
  const name = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return /^(?:.+\.)?localhost$/.test(name) || isLoopbackAddress(name);
}
