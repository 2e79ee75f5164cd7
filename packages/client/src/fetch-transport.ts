import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import type { Transport } from "./transport.ts";

/**
 * Uses the platform's `fetch`: works in Node and in browsers. A redirect is an error: it would send the token to another server.
 */
export const fetchTransport: Transport = async ({ url, headers, signal }) => {
  const response = await fetchResponse(url, headers, signal);
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: readBody(response, url, signal),
  };
};

async function fetchResponse(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal, redirect: "error", cache: "no-store" });
  } catch (error) {
    throwIfAborted(signal);
    throw new ProvisioningError("CONNECTIVITY_REFUSED", `${url} cannot be reached${describeCause(error)}`);
  }
}

/** Not every browser's stream is an async iterable. */
async function* readBody(
  { body }: Response,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throwIfAborted(signal);
        throw new ProvisioningError("STREAM_FAILED", `the connection to ${url} broke${describeCause(error)}`);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The system's code of a failure, such as ECONNREFUSED. Nothing else of the error is repeated: it could quote a header. */
function describeCause(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown =
    typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : "";
}
