import { isProvisioningError, ProvisioningError, type ErrorCode } from "@holdfast/core";
import {
  parseRetryAfter,
  textOf,
  toHttpFailure,
  toRequestError,
  type HttpPeer,
} from "@holdfast/core/adapter";

/** Phrases in the errors of an agent, with their status (agent/agent.go, agent/acl.go, agent/http.go). */
const PHRASES: readonly (readonly [status: number, phrase: RegExp, code: ErrorCode, failure: string])[] = [
  [
    500,
    /does not have associated TTL/,
    "LIFECYCLE_REGISTRATION_LOST",
    "no longer has the check of this process",
  ],
  [404, /Unknown check/, "LIFECYCLE_REGISTRATION_LOST", "no longer has the check of this process"],
  [404, /No service registered|Unknown service/, "LIFECYCLE_REGISTRATION_LOST", "no longer has this process"],
  [403, /ACL not found/, "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, /ACL not found/, "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, /Permission denied/, "CONNECTIVITY_UNAUTHORIZED", "rejected the token"],
  [500, /No cluster leader/, "CONNECTIVITY_NO_LEADER", "has no leader"],
  [500, /No known Consul servers|rpc error/, "CONNECTIVITY_UNAVAILABLE", "cannot reach its servers"],
];

/** The characters of a body that are searched for phrases. */
const SEARCHED = 1_000;

/** The fields of the errors of `papi`, on which the client is based. */
interface ClientError {
  readonly isResponse?: unknown;
  readonly isAbort?: unknown;
  readonly isCodec?: unknown;
  readonly response?: unknown;
}

/** Converts an error of the `consul` client. Quotes nothing of the response. */
export function toAgentError(error: unknown, peer: HttpPeer, now: number): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const failed: ClientError = Object(error);
  // With `includeResponse`, the client adds the response to errors of any kind.
  if (failed.isResponse === true) return toRefusal(Object(failed.response), peer, now);
  // Only a cancelled request is aborted: its connection was closed in the middle of the response.
  if (failed.isAbort === true || (failed.isCodec === true && !isComplete(failed.response)))
    return toCutOff(peer);
  if (failed.isCodec === true)
    return new ProvisioningError("STREAM_INVALID_DATA", `the response from ${peer.name} is not JSON`, {
      details: peer.details,
    });
  return toRequestError(error, peer);
}

/** False for a response that the server broke off; only this shows it, because the body then ends without an error. */
export function isComplete(response: unknown): boolean {
  return Reflect.get(Object(response), "complete") !== false;
}

export function toCutOff({ name, details }: HttpPeer): ProvisioningError {
  return new ProvisioningError("STREAM_FAILED", `the response from ${name} was cut off`, { details });
}

/** `response` is an `IncomingMessage` to which the client has added the body. */
function toRefusal(response: object, peer: HttpPeer, now: number): ProvisioningError {
  const status = Number(Reflect.get(response, "statusCode"));
  const body: unknown = Reflect.get(response, "body");
  const text = typeof body === "string" || Buffer.isBuffer(body) ? String(body).slice(0, SEARCHED) : "";
  const phrase = PHRASES.find(([of, words]) => of === status && words.test(text));
  const { code, failure } =
    phrase === undefined
      ? toHttpFailure(status)
      : { code: phrase[2], failure: `${phrase[3]} (status ${status})` };
  const retryAfterMs = parseRetryAfter(textOf(Reflect.get(response, "headers"), "retry-after"), now);
  return new ProvisioningError(code, `${peer.name} ${failure}`, {
    details: { ...peer.details, status, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}
