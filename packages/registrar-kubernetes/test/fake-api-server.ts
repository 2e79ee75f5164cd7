import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";

export interface FakePod {
  readonly metadata: { readonly name: string; labels: Record<string, string> };
  readonly status: { conditions: { readonly type: string; readonly status: string }[] };
}

export interface FakePodRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
}

interface Patch {
  readonly metadata?: { readonly labels: Readonly<Record<string, string | null>> };
  readonly status?: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

const PATH = /^\/api\/v1\/namespaces\/shop\/pods\/([^/]+)(\/status)?$/;

/** A local HTTP server with the pods of the namespace `shop`. */
export class FakeApiServer implements AsyncDisposable {
  readonly address: string;
  readonly pods: Map<string, FakePod> = new Map();
  readonly requests: FakePodRequest[] = [];
  /** Replaces the responses of the server. */
  respond: ((response: ServerResponse) => void) | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = `http://127.0.0.1:${port}`;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (message, response) => void this.#handle(message, response));
  }

  static async listen(): Promise<FakeApiServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the server does not listen");
    return new FakeApiServer(server, address.port);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  createPod(name: string): FakePod {
    const pod = { metadata: { name, labels: { app: "orders" } }, status: { conditions: [] } };
    this.pods.set(name, pod);
    return pod;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = message;
    const { authorization, "content-type": contentType } = headers;
    const body = await text(message);
    this.requests.push({ method, path, contentType, authorization });
    if (this.respond !== undefined) {
      this.respond(response);
      return;
    }
    const [, name = "", subresource] = PATH.exec(path) ?? [];
    const pod = this.pods.get(name);
    const status = pod === undefined ? 404 : 200;
    if (pod !== undefined && method === "PATCH") {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by the registrar under test
      apply(pod, JSON.parse(body) as Patch, subresource !== undefined);
    }
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify(pod ?? { kind: "Status" }));
  }
}

/** As the API: the status changes only through its subresource, and nothing else does. */
function apply(pod: FakePod, { metadata, status }: Patch, isStatus: boolean): void {
  if (isStatus) {
    for (const condition of status?.conditions ?? []) {
      const others = pod.status.conditions.filter(({ type }) => type !== condition.type);
      pod.status.conditions = [...others, condition];
    }
    return;
  }
  for (const [name, value] of Object.entries(metadata?.labels ?? {})) {
    if (value === null) delete pod.metadata.labels[name];
    else pod.metadata.labels[name] = value;
  }
}
