import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { ClusterNodeInput, Clock } from "@holdfast/core";

interface FakeCheck {
  readonly serviceId: string;
  readonly kind: "ttl" | "http" | "maintenance";
  readonly ttlMs: number;
  readonly notes: string;
  /** Monotonic milliseconds of the last time it passed. */
  passedAt: number;
}

/** The body of a registration, as far as this agent reads it. */
interface ServiceDefinition {
  readonly ID: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: { readonly Passing: number };
  readonly Check: { readonly CheckID: string; readonly TTL?: string };
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** How to respond instead of as an agent does. */
export type Respond = (request: FakeRequest, response: ServerResponse) => void;

/** A local HTTP server that behaves like the agent of Consul 1.8, on a clock of the test. */
export class FakeConsulAgent implements AsyncDisposable {
  readonly address: string;
  readonly requests: FakeRequest[] = [];
  /** Replaces the responses of the agent. */
  respond: Respond | undefined;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #services = new Map<string, ServiceDefinition>();
  readonly #checks = new Map<string, FakeCheck>();

  private constructor(server: Server, port: number, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.address = `http://127.0.0.1:${port}`;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (message, response) => void this.#handle(message, response));
  }

  static async listen(clock: Clock): Promise<FakeConsulAgent> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the server does not listen");
    return new FakeConsulAgent(server, address.port, clock);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** The instances of which every check passes. */
  get passing(): readonly ClusterNodeInput[] {
    const ids = [...this.#services.keys()].filter((id) =>
      [...this.#checks.values()].every((check) => check.serviceId !== id || this.#isPassing(check)),
    );
    return ids.map((id) => toNode(this.#services.get(id)!));
  }

  definition(id: string): ServiceDefinition | undefined {
    return this.#services.get(id);
  }

  checkIds(): readonly string[] {
    return [...this.#checks.keys()].sort();
  }

  loseData(): void {
    this.#services.clear();
    this.#checks.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #isPassing({ kind, passedAt, ttlMs }: FakeCheck): boolean {
    if (kind === "maintenance") return false;
    return kind === "http" || this.#clock.monotonic() < passedAt + ttlMs;
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(message.url ?? "", this.address);
    const path = decodeURIComponent(pathname);
    const content = await text(message);
    const body: unknown = content === "" ? undefined : JSON.parse(content);
    const { method = "", headers } = message;
    const request: FakeRequest = { method, path, query: searchParams, headers, body };
    this.requests.push(request);
    if (this.respond !== undefined) this.respond(request, response);
    else this.#answer(request, response);
  }

  #answer({ method, path, query, body }: FakeRequest, response: ServerResponse): void {
    const fail = (status: number, reason: string) =>
      void response.writeHead(status, { "content-type": "text/plain" }).end(reason);
    const after = (prefix: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : undefined);
    if (method === "GET" && path === "/v1/agent/checks") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(this.#listChecks(query.get("filter") ?? "")));
      return;
    }
    if (method !== "PUT") return fail(405, "method not allowed");
    if (path === "/v1/agent/service/register") {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by the registrar under test
      this.#register(body as ServiceDefinition);
      return void response.end();
    }
    const passing = after("/v1/agent/check/pass/");
    if (passing !== undefined) {
      const check = this.#checks.get(passing);
      if (check?.kind !== "ttl") return fail(500, `CheckID "${passing}" does not have associated TTL`);
      check.passedAt = this.#clock.monotonic();
      return void response.end();
    }
    const gone = after("/v1/agent/check/deregister/");
    if (gone !== undefined) {
      this.#checks.delete(gone);
      return void response.end();
    }
    const maintained = after("/v1/agent/service/maintenance/");
    if (maintained !== undefined) {
      if (!this.#services.has(maintained)) return fail(404, `No service registered with ID "${maintained}"`);
      const checkId = `_service_maintenance:${maintained}`;
      if (query.get("enable") !== "true") this.#checks.delete(checkId);
      else if (!this.#checks.has(checkId)) {
        const notes = query.get("reason") ?? "";
        this.#checks.set(checkId, {
          serviceId: maintained,
          kind: "maintenance",
          ttlMs: 0,
          notes,
          passedAt: 0,
        });
      }
      return void response.end();
    }
    const left = after("/v1/agent/service/deregister/");
    if (left === undefined) return fail(404, "not found");
    this.#services.delete(left);
    for (const [checkId, { serviceId }] of this.#checks) if (serviceId === left) this.#checks.delete(checkId);
    response.end();
  }

  #register(definition: ServiceDefinition): void {
    const { ID: serviceId, Check } = definition;
    const { CheckID: checkId, TTL } = Check;
    this.#services.set(serviceId, definition);
    // The state of a check that exists is kept.
    const passedAt = this.#checks.get(checkId)?.passedAt ?? -Infinity;
    const ttlMs = Number.parseInt(TTL ?? "0", 10);
    this.#checks.set(checkId, {
      serviceId,
      kind: TTL === undefined ? "http" : "ttl",
      ttlMs,
      notes: "",
      passedAt,
    });
  }

  #listChecks(filter: string): unknown {
    const [, quoted = ""] = /^ServiceID == (.+)$/.exec(filter) ?? [];
    const id: unknown = quoted.startsWith("`") ? quoted.slice(1, -1) : JSON.parse(quoted);
    const found = [...this.#checks].filter(([, { serviceId }]) => serviceId === id);
    return Object.fromEntries(
      found.map(([CheckID, check]) => [
        CheckID,
        {
          CheckID,
          ServiceID: check.serviceId,
          Notes: check.notes,
          Status: this.#isPassing(check) ? "passing" : "critical",
        },
      ]),
    );
  }
}

function toNode({ ID, Address, Port, Tags, Meta, Weights }: ServiceDefinition): ClusterNodeInput {
  const { zone, ...metadata } = Meta ?? {};
  return { id: ID, host: Address, port: Port, zone, weight: Weights?.Passing, tags: Tags, metadata };
}
