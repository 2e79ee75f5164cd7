import type { Reason } from "@holdfast/core";
import { isThisMachine } from "@holdfast/core/adapter";
import type { ConsulSettings } from "../consul-params.ts";

/** The addresses to which a token would be sent without TLS. Certificates are always verified, so there is nothing else to list. */
export function auditConsul({ addresses, token }: ConsulSettings): readonly Reason[] {
  if (token === undefined) return [];
  return addresses
    .map((address) => new URL(address))
    .filter(({ protocol, hostname }) => protocol === "http:" && !isThisMachine(toHost(hostname)))
    .map(({ origin }) => ({
      code: "CONNECTIVITY_INSECURE",
      message: `the token is sent to ${origin} without TLS, where others on the network can read it: use https`,
      details: { address: origin, parameter: "addresses" },
    }));
}

/** The host of a URL, without the brackets of IPv6. */
function toHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
