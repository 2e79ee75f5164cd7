import { createServer, request as requestHttp, type Server } from "node:http";
import { request as requestHttps } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Forwards HTTP requests to a server and counts them. */
export class CountingProxy implements AsyncDisposable {
  requests = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `target` is a URL without a path. Its certificate is not verified. */
  static async listen(target: string): Promise<CountingProxy> {
    const request = target.startsWith("https:") ? requestHttps : requestHttp;
    const server = createServer((incoming, outgoing) => {
      proxy.requests++;
      const { method, headers, url } = incoming;
      const forwarded = request(target + url, { method, headers, rejectUnauthorized: false }, (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      });
      forwarded.on("error", () => outgoing.destroy());
      outgoing.on("close", () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
    const proxy = new CountingProxy(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
