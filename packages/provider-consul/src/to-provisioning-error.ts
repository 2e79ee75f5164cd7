import {
  isProvisioningError,
  ProvisioningError,
  toHttpFailure,
  toNetworkFailure,
  toSafeCause,
  type ErrorCode,
} from "@holdfast/core";

/** What Consul answered instead of what was asked for. */
export interface Refusal {
  readonly status: number;
  /** The beginning of the body; only known phrases are looked for in it. */
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
}

/** Phrases of Consul's own, with the status they come with (agent/http.go, agent/structs/errors.go). */
const PHRASES: readonly (readonly [status: number, phrase: string, code: ErrorCode, failure: string])[] = [
  [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "No cluster leader", "CONNECTIVITY_NO_LEADER", "has no leader"],
  [500, "No path to datacenter", "CONNECTIVITY_REFUSED", "knows no way to the datacenter"],
  [500, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", "refused the token"],
];

/** Turns an answer with another status than 200 into our error. `where` is the address asked. */
export function toRefusalError({ status, text, retryAfterMs }: Refusal, where: string): ProvisioningError {
  const phrase = PHRASES.find(([of, words]) => of === status && text.includes(words));
  const { code, failure } =
    phrase === undefined ? toHttpFailure(status) : { code: phrase[2], failure: phrase[3] };
  return new ProvisioningError(code, `Consul at ${where} ${failure}`, {
    details: { address: where, status, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}

/** Turns whatever broke a request to `where` into our error; what is none of Node's network errors is `STREAM_FAILED`. */
export function toProvisioningError(error: unknown, where: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const { code, failure } = toNetworkFailure(error) ?? { code: "STREAM_FAILED", failure: "broke off" };
  return new ProvisioningError(code, `Consul at ${where} ${failure}`, {
    cause: toSafeCause(error),
    details: { address: where },
  });
}
