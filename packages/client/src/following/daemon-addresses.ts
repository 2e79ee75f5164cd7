import { ProvisioningError, type ProviderId } from "@holdfast/core";
import { EXPECTED_ORIGIN, isOrigin } from "../connection/daemon-origin.ts";

/** A daemon, as a provider of failover. */
export interface DaemonAddress {
  readonly url: string;
  readonly id: ProviderId;
  /** The first address has the highest. */
  readonly priority: number;
}

/** Throws `VALIDATION_MALFORMED` for an address of another form, and when there is none. Does not quote the address. */
export function toDaemonAddresses(url: string | readonly string[]): readonly DaemonAddress[] {
  const urls = toOrigins(url);
  const ids = toProviderIds(urls);
  return urls.map((each, index) => ({ url: each, id: ids[index]!, priority: urls.length - index }));
}

function toOrigins(url: string | readonly string[]): readonly string[] {
  const urls = [...new Set(typeof url === "string" ? [url] : url)];
  const invalid = urls.findIndex((each) => !isOrigin(each));
  // Two forms of one address, such as with and without a final slash, are one daemon.
  if (urls.length > 0 && invalid < 0) return [...new Set(urls.map((each) => new URL(each).origin))];
  const expected = EXPECTED_ORIGIN;
  const message =
    urls.length === 0 ? `url: expected ${expected}, got none` : `url[${invalid}]: expected ${expected}`;
  throw new ProvisioningError("VALIDATION_MALFORMED", message, {
    details: { path: `url[${Math.max(invalid, 0)}]`, expected },
  });
}

/** The hosts; the whole addresses if two of them differ only in `http` and `https`. */
function toProviderIds(origins: readonly string[]): readonly ProviderId[] {
  const hosts = origins.map((origin) => new URL(origin).host);
  return new Set(hosts).size === hosts.length ? hosts : origins;
}
