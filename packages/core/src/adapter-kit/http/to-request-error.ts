import { isProvisioningError, ProvisioningError } from "../../errors/provisioning-error.ts";
import { toSafeCause } from "../../errors/safe-cause.ts";
import { toProxyHost, type HttpProxy } from "./http-proxy.ts";
import { toNetworkFailure } from "./network-failure.ts";

/** The server that is asked, for errors. */
export interface HttpPeer {
  /** For messages: "Consul at http://127.0.0.1:8500". */
  readonly name: string;
  /** What every error about it has in its details. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Turns what broke a request, or the reading of its response, into an error; a `ProvisioningError` stays as it is. What is not one of the errors of
 * Node.js's sockets is `STREAM_FAILED`.
 */
export function toRequestError(error: unknown, peer: HttpPeer, proxy?: HttpProxy): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const proxyStatus = proxy === undefined ? undefined : tunnelStatusOf(error);
  if (proxyStatus !== undefined) return toProxyRefusal(proxyStatus, peer, proxy!);
  const { code, failure } = toNetworkFailure(error) ?? {
    code: "STREAM_FAILED",
    failure: "broke the connection, or did not answer in HTTP",
  };
  const through = proxy === undefined ? "" : ` (through the proxy ${toProxyHost(proxy)} of ${proxy.source})`;
  return new ProvisioningError(code, `${peer.name}${through} ${failure}`, {
    cause: toSafeCause(error),
    details: { ...peer.details, ...toProxyDetails(proxy) },
  });
}

/** A proxy that answered by itself: it refused to pass the request on. */
export function toProxyRefusal(proxyStatus: number, peer: HttpPeer, proxy: HttpProxy): ProvisioningError {
  const wants = proxyStatus === 407 ? ": it requires credentials, or refuses those of its URL" : "";
  return new ProvisioningError(
    proxyStatus === 407 || proxyStatus === 403 ? "CONNECTIVITY_UNAUTHORIZED" : "CONNECTIVITY_REFUSED",
    `the proxy ${toProxyHost(proxy)} answered with status ${proxyStatus} when asked for ${peer.name}${wants}`,
    { details: { ...peer.details, ...toProxyDetails(proxy), proxyStatus } },
  );
}

function toProxyDetails(proxy: HttpProxy | undefined): Readonly<Record<string, unknown>> {
  return proxy === undefined ? {} : { proxy: toProxyHost(proxy) };
}

/** Node.js reports a proxy that refuses a tunnel by `ERR_PROXY_TUNNEL`. */
function tunnelStatusOf(error: unknown): number | undefined {
  const status: unknown = Reflect.get(Object(error), "statusCode");
  return Reflect.get(Object(error), "code") === "ERR_PROXY_TUNNEL" && typeof status === "number"
    ? status
    : undefined;
}
