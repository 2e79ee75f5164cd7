import type { Reason } from "@holdfast/core";
import { isThisMachine } from "@holdfast/core/adapter";
import type { HoldfastSettings } from "./holdfast-params.ts";

/** Reports a token that is sent to another machine without TLS. Nothing else is insecure, because certificates are always verified. */
export function auditHoldfast({ url, token }: HoldfastSettings): readonly Reason[] {
  const { origin, protocol, hostname } = new URL(url);
  if (token === undefined || protocol === "https:" || isThisMachine(hostname.replace(/^\[|\]$/g, "")))
    return [];
  const message = `the token is sent to ${origin} without TLS, so others on the network can read it; use https`;
  return [{ code: "CONNECTIVITY_INSECURE", message, details: { address: origin, parameter: "url" } }];
}
