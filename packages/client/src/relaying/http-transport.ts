import { HttpClient, readTlsFiles, type TlsFiles } from "@holdfast/core/adapter";
import { systemClock, type Clock } from "@holdfast/core";
import type { Transport } from "../connection/transport.ts";

export interface HttpTransportOptions {
  /** Files for https, read again for every connection. @defaultValue the certificates that Node trusts */
  readonly tls?: TlsFiles | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/**
 * Sends requests with the HTTP client of adapters, which takes certificates from files and uses the proxy of the environment. Redirects
 * are not followed. Dispose of it after everything that uses it was closed.
 */
export function httpTransport({ tls, clock = systemClock }: HttpTransportOptions = {}): Transport &
  Disposable {
  const http = new HttpClient({ clock });
  const open: Transport = async ({ url: text, headers, signal }) => {
    const url = new URL(text);
    const material = url.protocol === "https:" ? await readTlsFiles(tls, signal) : undefined;
    const peer = { name: `the daemon at ${url.origin}`, details: { address: url.origin } };
    const response = await http.send({ url, headers, tls: material, peer, signal });
    return {
      status: response.status,
      header: (name) => response.headers[name.toLowerCase()]?.toString(),
      body: response.chunks(),
    };
  };
  return Object.assign(open, { [Symbol.dispose]: () => http[Symbol.dispose]() });
}
