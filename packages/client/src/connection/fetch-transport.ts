import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import { toNetworkFailure } from "@holdfast/core/portable";
import type { Transport } from "./transport.ts";

/**
 * Uses the platform's `fetch`, so that a program can bring its own dispatcher or interceptors. A redirect is an error: it would send the
 * token to another server.
 */
export const fetchTransport: Transport = async ({ url, headers, signal }) => {
  const response = await orFail(
    url,
    signal,
    fetch(url, { headers, signal, redirect: "error", cache: "no-store" }),
  );
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: readBody(response, url, signal),
  };
};

async function* readBody(
  { body }: Response,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await orFail(url, signal, reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Nothing of the platform's error is repeated but its meaning: it could quote a header. */
async function orFail<T>(url: string, signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throwIfAborted(signal);
    const { origin } = new URL(url);
    const { code, failure } = toNetworkFailure(error) ?? {
      code: "STREAM_FAILED",
      failure: "broke the connection",
    };
    throw new ProvisioningError(code, `the daemon at ${origin} ${failure}`, { details: { address: origin } });
  }
}
