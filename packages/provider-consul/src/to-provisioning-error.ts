import { isProvisioningError, ProvisioningError, type ErrorCode } from "@holdfast/core";
import { toHttpFailure, toNetworkFailure, toSafeCause } from "@holdfast/core/adapter";

/** A response with another status than 200. */
export interface Refusal {
  readonly status: number;
  /** The beginning of the body; it is only searched for known phrases. */
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
}

/** Consul's own phrases, with the status they come with (agent/http.go, agent/structs/errors.go, agent/pool). */
const PHRASES: readonly (readonly [status: number, phrase: string, code: ErrorCode, failure: string])[] = [
  [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "No cluster leader", "CONNECTIVITY_NO_LEADER", "has no leader"],
  [500, "No path to datacenter", "CONNECTIVITY_REFUSED", "has no route to the datacenter"],
  [500, "No known Consul servers", "CONNECTIVITY_UNAVAILABLE", "reaches none of its servers"],
  [500, "rpc error getting client", "CONNECTIVITY_UNAVAILABLE", "does not reach its server"],
  [500, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", "refused the token"],
];

/** Turns a response with another status than 200 into our error. `where` is the address asked, `proxy` the proxy on the way. */
export function toRefusalError(
  { status, text, retryAfterMs }: Refusal,
  where: string,
  proxy?: string,
): ProvisioningError {
  if (proxy !== undefined && status === 407) return toProxyRefusal(status, where, proxy);
  const phrase = PHRASES.find(([of, words]) => of === status && text.includes(words));
  const { code, failure } =
    phrase === undefined
      ? toHttpFailure(status)
      : { code: phrase[2], failure: `${phrase[3]} (status ${status})` };
  return new ProvisioningError(code, `Consul at ${where}${through(proxy)} ${failure}`, {
    details: {
      address: where,
      status,
      ...(proxy !== undefined && { proxy }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  });
}

/** Turns what broke a request to `where` into our error; what is not one of Node's network errors is `STREAM_FAILED`. */
export function toProvisioningError(error: unknown, where: string, proxy?: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const status = proxy === undefined ? undefined : tunnelStatusOf(error);
  if (status !== undefined) return toProxyRefusal(status, where, proxy!);
  const { code, failure } = toNetworkFailure(error) ?? {
    code: "STREAM_FAILED",
    failure: "broke the connection, or did not answer in HTTP",
  };
  return new ProvisioningError(code, `Consul at ${where}${through(proxy)} ${failure}`, {
    cause: toSafeCause(error),
    details: { address: where, ...(proxy !== undefined && { proxy }) },
  });
}

function toProxyRefusal(status: number, where: string, proxy: string): ProvisioningError {
  const wants = status === 407 ? ": it requires credentials, or refuses those of its URL" : "";
  return new ProvisioningError(
    status === 407 || status === 403 ? "CONNECTIVITY_UNAUTHORIZED" : "CONNECTIVITY_REFUSED",
    `the proxy ${proxy} answered with status ${status} when asked for Consul at ${where}${wants}`,
    { details: { address: where, proxy, status } },
  );
}

/** Node reports a proxy that refuses a tunnel by `ERR_PROXY_TUNNEL`. */
function tunnelStatusOf(error: unknown): number | undefined {
  const status: unknown = Reflect.get(Object(error), "statusCode");
  return Reflect.get(Object(error), "code") === "ERR_PROXY_TUNNEL" && typeof status === "number"
    ? status
    : undefined;
}

function through(proxy: string | undefined): string {
  return proxy === undefined ? "" : ` (through the proxy ${proxy})`;
}
