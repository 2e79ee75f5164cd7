import { isProvisioningError, ProvisioningError } from "../../errors/provisioning-error.ts";
import { toSafeCause } from "../../errors/safe-cause.ts";
import { toProxyHost, type HttpProxy } from "./http-proxy.ts";
import { toNetworkFailure } from "./network-failure.ts";

/** The server of a request, as errors name it. */
export interface HttpPeer {
  /** The name in messages: "Consul at http://127.0.0.1:8500". */
  readonly name: string;
  /** The details of every error about the server. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Converts an error of a request, or of reading its response, to a `ProvisioningError`, which is returned unchanged.
 * Errors that do not come from the sockets of Node.js become `STREAM_FAILED`.
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

/** Returns the error for a proxy that did not forward the request. */
export function toProxyRefusal(proxyStatus: number, peer: HttpPeer, proxy: HttpProxy): ProvisioningError {
  const wants = proxyStatus === 407 ? "; it requires credentials, or rejects those in its URL" : "";
  return new ProvisioningError(
    proxyStatus === 407 || proxyStatus === 403 ? "CONNECTIVITY_UNAUTHORIZED" : "CONNECTIVITY_REFUSED",
    `the proxy ${toProxyHost(proxy)} responded with status ${proxyStatus} to a request for ${peer.name}${wants}`,
    { details: { ...peer.details, ...toProxyDetails(proxy), proxyStatus } },
  );
}

function toProxyDetails(proxy: HttpProxy | undefined): Readonly<Record<string, unknown>> {
  return proxy === undefined ? {} : { proxy: toProxyHost(proxy) };
}

/** Returns the status with which a proxy rejected a tunnel. Node.js reports this as `ERR_PROXY_TUNNEL`. */
function tunnelStatusOf(error: unknown): number | undefined {
  const status: unknown = Reflect.get(Object(error), "statusCode");
  return Reflect.get(Object(error), "code") === "ERR_PROXY_TUNNEL" && typeof status === "number"
    ? status
    : undefined;
}
