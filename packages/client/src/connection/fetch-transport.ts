import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import { toNetworkFailure, type NetworkFailure } from "@holdfast/core/portable";
import type { Transport } from "./transport.ts";

/**
 * Uses the platform's `fetch`, so that a program can bring its own dispatcher or interceptors. A redirect is an error: it would send the
 * token to another server.
 */
export const fetchTransport: Transport = async ({ url, headers, signal }) => {
  const responding = fetch(url, { headers, signal, redirect: "error", cache: "no-store" });
  const response = await orFail(responding, { url, signal, otherwise: UNREACHABLE });
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
      const { done, value } = await orFail(reader.read(), { url, signal, otherwise: BROKEN });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** What is reported when the platform gives no cause, as browsers do. */
const UNREACHABLE: NetworkFailure = {
  code: "CONNECTIVITY_REFUSED",
  failure: "cannot be reached, or redirects",
};
const BROKEN: NetworkFailure = { code: "STREAM_FAILED", failure: "broke the connection" };

interface FailureOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly otherwise: NetworkFailure;
}

/** Nothing of the platform's error is repeated but its meaning: it could quote a header. */
async function orFail<T>(work: Promise<T>, { url, signal, otherwise }: FailureOptions): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throwIfAborted(signal);
    const { origin } = new URL(url);
    const { code, failure } = toNetworkFailure(error) ?? otherwise;
    throw new ProvisioningError(code, `the daemon at ${origin} ${failure}`, { details: { address: origin } });
  }
}
