import { isProvisioningError, type ErrorCode } from "@holdfast/core";

/** The codes of `@holdfast/core`, and those that only HTTP has. */
export type HttpFailureCode =
  | ErrorCode
  | "HTTP_NOT_FOUND"
  | "HTTP_METHOD_NOT_ALLOWED"
  | "HTTP_HOST_REFUSED"
  | "HTTP_TOO_MANY_CLIENTS";

export interface HttpFailure {
  readonly status: 400 | 403 | 404 | 405 | 500 | 503;
  readonly code: HttpFailureCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function toFailureResponse(failure: HttpFailure): Response {
  const { status, code, message, headers } = failure;
  return Response.json({ error: { code, message } }, { status, headers: { ...NO_STORE, ...headers } });
}

/** What went wrong inside stays inside, but for our own errors, which are written to be read. */
export function toInternalFailure(error: unknown): HttpFailure {
  if (isProvisioningError(error)) return { status: 500, code: error.code, message: error.message };
  return { status: 500, code: "LIFECYCLE_INTERNAL", message: "the request failed unexpectedly" };
}

export const NO_STORE: Readonly<Record<string, string>> = { "cache-control": "no-store" };
