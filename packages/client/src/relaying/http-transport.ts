import { HttpClient, readTlsFiles, type TlsFiles } from "@holdfast/core/adapter";
import type { Clock } from "@holdfast/core";
import type { Transport } from "../connection/transport.ts";

export interface HttpTransportOptions {
  readonly clock: Clock;
  /** Files for https, read again for every connection. @defaultValue the certificates that Node trusts */
  readonly tls?: TlsFiles | undefined;
}

/** Sends requests with the HTTP client of adapters, which takes certificates from files. Redirects are not followed. */
export class HttpTransport implements Disposable {
  readonly #http: HttpClient;
  readonly #tls: TlsFiles | undefined;

  constructor({ clock, tls }: HttpTransportOptions) {
    this.#http = new HttpClient({ clock });
    this.#tls = tls;
  }

  readonly open: Transport = async ({ url: text, headers, signal }) => {
    const url = new URL(text);
    const tls = url.protocol === "https:" ? await readTlsFiles(this.#tls, signal) : undefined;
    const peer = { name: `the daemon at ${url.origin}`, details: { address: url.origin } };
    const response = await this.#http.send({ url, headers, tls, peer, signal });
    return {
      status: response.status,
      header: (name) => response.headers[name.toLowerCase()]?.toString(),
      body: response.chunks(),
    };
  };

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }
}
