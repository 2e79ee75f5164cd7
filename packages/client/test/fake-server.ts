import {
  DEFAULT_TOPOLOGY,
  EventChannel,
  ProvisioningError,
  type Clock,
  type TopologyEvent,
  type TopologyName,
} from "@holdfast/core";
import type { WatchHub } from "@holdfast/hub";
import type { Transport, TransportRequest, TransportResponse } from "../src/connection/transport.ts";
import { FakeStream } from "./fake-stream.ts";

export interface FakeServerOptions {
  readonly clock: Clock;
  /** How often a quiet connection gets a comment, in milliseconds. @defaultValue 5000 */
  readonly keepAliveMs?: number | undefined;
  /** The first entry of every chain of daemons. @defaultValue no chain is sent, as by a daemon without an id */
  readonly instance?: string | undefined;
  readonly find: (name: TopologyName) => WatchHub | undefined;
}

const encoder = new TextEncoder();

/** The HTTP server of a daemon without a network: serves the logs of hubs as the README of the command documents. */
export class FakeServer {
  readonly requests: TransportRequest[] = [];
  /** Number of characters sent in state frames. */
  stateLength = 0;
  /** Changes the text of each frame before it is sent. */
  tamper: (frame: string) => string = (frame) => frame;
  /** `down` refuses connections, `hanging` accepts them and sends nothing. */
  mode: "up" | "down" | "hanging" = "up";
  /** The status of every response; 200 serves the log. */
  status = 200;
  responseHeaders: Readonly<Record<string, string>> = {};
  readonly #options: FakeServerOptions;
  readonly #streams = new Set<FakeStream>();

  constructor(options: FakeServerOptions) {
    this.#options = options;
  }

  get openConnections(): number {
    return this.#streams.size;
  }

  readonly transport: Transport = async (request) => this.#open(request);

  /** Breaks every connection. */
  disconnect(): void {
    const error = new ProvisioningError("STREAM_FAILED", "the connection broke");
    for (const stream of this.#streams) stream.close({ error });
  }

  /** Sends any text on every connection. */
  send(text: string): void {
    for (const { body } of this.#streams) body.push(encoder.encode(text));
  }

  #open(request: TransportRequest): TransportResponse {
    this.requests.push(request);
    if (this.mode === "down")
      throw new ProvisioningError("CONNECTIVITY_REFUSED", `${request.url} cannot be reached`);
    const hub = this.#options.find(nameOf(request.url));
    const body = new EventChannel<Uint8Array>(request.signal);
    if (this.status !== 200) return this.#fail(body, this.status, "HTTP_ERROR");
    if (hub === undefined) return this.#fail(body, 404, "TOPOLOGY_UNKNOWN");
    const headers: Readonly<Record<string, string>> = {
      "content-type": "text/event-stream",
      ...this.responseHeaders,
    };
    const { clock, keepAliveMs = 5_000, instance } = this.#options;
    const stream = new FakeStream({
      body,
      hub,
      clock,
      keepAliveMs,
      instance,
      write: (frame) => {
        if (this.mode === "hanging") return;
        if (frame.includes("\nevent: state\n")) this.stateLength += frame.length;
        body.push(encoder.encode(this.tamper(frame)));
      },
      onClosed: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    request.signal.addEventListener("abort", () => stream.close(), { once: true });
    stream.begin({
      missed: missedBy(hub, request.headers["last-event-id"]),
      have: new URL(request.url).searchParams.get("have"),
    });
    return { status: 200, header: (header) => headers[header], body };
  }

  #fail(body: EventChannel<Uint8Array>, status: number, code: string): TransportResponse {
    body.push(encoder.encode(JSON.stringify({ error: { code, message: "no" } })));
    body.close();
    return { status, header: (header) => this.responseHeaders[header], body };
  }
}

function nameOf(url: string): TopologyName {
  return /^\/topologies\/([^/]+)\/events$/.exec(new URL(url).pathname)?.[1] ?? DEFAULT_TOPOLOGY;
}

function missedBy(hub: WatchHub, lastEventId: string | undefined): readonly TopologyEvent[] | undefined {
  const at = lastEventId?.lastIndexOf(":") ?? -1;
  if (lastEventId === undefined || at < 0) return undefined;
  return hub.eventsSince(lastEventId.slice(0, at), Number(lastEventId.slice(at + 1)));
}
