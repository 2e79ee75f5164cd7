import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const PAGE = `<!doctype html><meta charset="utf-8"><title>Topology</title><body></body><script type="module" src="/page.js"></script>`;

/** The server of a page that follows a daemon: it serves the page, and passes everything else on to the daemon. */
export class PageServer implements AsyncDisposable {
  readonly url: string;
  /** The paths that were passed on. */
  readonly forwarded: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async listen(code: string, daemon: string): Promise<PageServer> {
    const server = createServer((incoming, outgoing) => {
      if (incoming.url === "/") send(outgoing, "text/html; charset=utf-8", PAGE);
      else if (incoming.url === "/page.js") send(outgoing, "text/javascript; charset=utf-8", code);
      else if (incoming.url === "/favicon.ico") outgoing.writeHead(404).end();
      else {
        page.forwarded.push(incoming.url!);
        forward(incoming, outgoing, daemon);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const page = new PageServer(server);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function send(outgoing: ServerResponse, contentType: string, text: string): void {
  outgoing.writeHead(200, { "content-type": contentType }).end(text);
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, daemon: string): void {
  const target = new URL(incoming.url!, daemon);
  const headers = { ...incoming.headers, host: target.host };
  const passed = request(target, { headers }, (response) => {
    outgoing.writeHead(response.statusCode!, response.headers);
    response.pipe(outgoing);
    response.on("error", () => outgoing.destroy());
    response.on("aborted", () => outgoing.destroy());
  });
  passed.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
  outgoing.on("close", () => passed.destroy());
  passed.end();
}
