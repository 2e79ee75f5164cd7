import { isProvisioningError, type ErrorCode } from "@holdfast/core";
import { toJsonText } from "../output/printable.ts";

/** The codes of `@holdfast/core`, and the codes that exist only over HTTP. */
export type HttpFailureCode =
  | ErrorCode
  | "HTTP_NOT_FOUND"
  | "HTTP_METHOD_NOT_ALLOWED"
  | "HTTP_HOST_REFUSED"
  | "HTTP_TOO_MANY_CLIENTS"
  | "HTTP_OVERLOADED";

export interface HttpFailure {
  readonly status: 400 | 403 | 404 | 405 | 500 | 503;
  readonly code: HttpFailureCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function toFailureResponse(failure: HttpFailure): Response {
  const { status, code, message, headers } = failure;
  return toJsonResponse({ error: { code, message } }, { status, headers });
}

export interface JsonResponseOptions {
  /** @defaultValue 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Creates a response with a small document that must not be cached. */
export function toJsonResponse(body: unknown, { status = 200, headers }: JsonResponseOptions = {}): Response {
  return new Response(toJsonText(body), {
    status,
    headers: { ...NO_STORE, "content-type": "application/json", ...headers },
  });
}

/** The response to an error that a request caused, or that happened while it was answered. */
export function toFailure(error: unknown): HttpFailure {
  if (!isProvisioningError(error)) return toInternalFailure(error);
  const { code, category, message } = error;
  if (code === "TOPOLOGY_UNKNOWN") return { status: 404, code, message };
  return category === "validation" ? { status: 400, code, message } : toInternalFailure(error);
}

/**
 * Only `ProvisioningError`s are shown, because their messages are safe for readers. Other errors may contain anything.
 */
export function toInternalFailure(error: unknown): HttpFailure {
  if (isProvisioningError(error)) return { status: 500, code: error.code, message: error.message };
  return { status: 500, code: "LIFECYCLE_INTERNAL", message: "the request failed unexpectedly" };
}

export const NO_STORE: Readonly<Record<string, string>> = { "cache-control": "no-store" };
