import type { Reason } from "@holdfast/core";
import { isThisMachine } from "@holdfast/core/adapter";
import type { AccessSettings } from "../consul-params.ts";

/**
 * Lists the addresses to which the token would be sent without TLS. Nothing else is insecure, because certificates are
 * always verified.
 */
export function auditConsul({ addresses, token }: AccessSettings): readonly Reason[] {
  if (token === undefined) return [];
  return addresses
    .map((address) => new URL(address))
    .filter(({ protocol, hostname }) => protocol === "http:" && !isThisMachine(toHost(hostname)))
    .map(({ origin }) => ({
      code: "CONNECTIVITY_INSECURE",
      message: `the token is sent to ${origin} without TLS, so others on the network can read it; use https`,
      details: { address: origin, parameter: "addresses" },
    }));
}

/** Returns the host of a URL without the brackets of an IPv6 address. */
function toHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
