import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Answer = (request: IncomingMessage, response: ServerResponse, echo: string) => void;

const status =
  (code: number): Answer =>
  (_, response, echo) =>
    void response
      .writeHead(code, { "content-type": "application/json", "x-echo": echo.slice(0, 900) })
      .end(echo);

/** The different ways in which the server sends back what it received. */
const ANSWERS: readonly Answer[] = [
  status(500),
  status(403),
  status(401),
  status(400),
  status(200),
  (_, response, echo) =>
    void response.writeHead(200, { "content-type": `text/${echo.slice(0, 900)}` }).end(echo),
  (_, response, echo) =>
    void response
      .writeHead(301, { location: `http://127.0.0.1:1/${encodeURIComponent(echo.slice(0, 900))}` })
      .end(),
  ({ socket }, _, echo) =>
    void socket.end(`HTTP/1.1 200 ${echo.slice(0, 900)}\r\nno: header\r\ntransfer-encoding: ${echo}`),
  ({ socket }, _, echo) => void socket.end(echo),
];

/** A backend that responds to every request with what it received, each time in a different way. */
export class EchoServer implements AsyncDisposable {
  /** The text of all received headers. */
  received = "";
  readonly #server: Server;
  #next = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const echo = JSON.stringify(request.headers);
      this.received += `${request.url} ${echo}\n`;
      ANSWERS[this.#next++ % ANSWERS.length]!(request, response, echo);
    });
  }

  static async listen(): Promise<EchoServer> {
    const echo = new EchoServer();
    echo.#server.listen(0, "127.0.0.1");
    await once(echo.#server, "listening");
    return echo;
  }

  /** `host:port` */
  get host(): string {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
