import { createServer, request as requestHttp, type Server } from "node:http";
import { request as requestHttps } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Passes HTTP requests on to a server and counts them. */
export class CountingProxy implements AsyncDisposable {
  requests = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `target` is an URL without a path; its certificate is not looked at. */
  static async listen(target: string): Promise<CountingProxy> {
    const request = target.startsWith("https:") ? requestHttps : requestHttp;
    const server = createServer((incoming, outgoing) => {
      proxy.requests++;
      const { method, headers, url } = incoming;
      const passed = request(target + url, { method, headers, rejectUnauthorized: false }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on("error", () => outgoing.destroy());
      outgoing.on("close", () => passed.destroy());
      incoming.pipe(passed);
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
