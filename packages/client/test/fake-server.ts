import {
  EventChannel,
  ProvisioningError,
  type Clock,
  type TopologyName,
  type TopologyState,
} from "@holdfast/core";
import type { WatchHub } from "@holdfast/hub";
import type { Transport, TransportRequest, TransportResponse } from "../src/connection/transport.ts";
import { FakeConnection } from "./fake-connection.ts";
import { toFakeRequest } from "./fake-request.ts";

export interface FakeServerOptions {
  readonly clock: Clock;
  /** How often a quiet connection gets a comment, in milliseconds. @defaultValue 5000 */
  readonly keepAliveMs?: number | undefined;
  /** The first entry of every chain of daemons. @defaultValue no chain is sent, as by a daemon without an id */
  readonly instance?: string | undefined;
  readonly find: (name: TopologyName) => WatchHub | undefined;
}

const encoder = new TextEncoder();
/** A server or proxy need not accept longer URLs (RFC 9110, 4.1). */
const LONGEST_URL = 8_000;

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
  readonly #connections = new Set<FakeConnection>();
  readonly #states = new WeakMap<WatchHub, { readonly state: TopologyState; readonly at: number }>();

  constructor(options: FakeServerOptions) {
    this.#options = options;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  readonly transport: Transport = async (request) => this.#open(request);

  /** Breaks every connection. */
  disconnect(): void {
    const error = new ProvisioningError("STREAM_FAILED", "the connection broke");
    for (const connection of this.#connections) connection.close({ error });
  }

  /** The topologies have changed. */
  update(): void {
    for (const connection of this.#connections) connection.update();
  }

  /** Sends any text on every connection. */
  send(text: string): void {
    for (const { body } of this.#connections) body.push(encoder.encode(text));
  }

  #open(request: TransportRequest): TransportResponse {
    this.requests.push(request);
    if (this.mode === "down")
      throw new ProvisioningError("CONNECTIVITY_REFUSED", `${request.url} cannot be reached`);
    const { clock, keepAliveMs = 5_000, instance, find } = this.#options;
    const asked = toFakeRequest(request);
    const body = new EventChannel<Uint8Array>(request.signal);
    if (request.url.length > LONGEST_URL) return this.#fail(body, 431, "HTTP_ERROR");
    if (this.status !== 200) return this.#fail(body, this.status, "HTTP_ERROR");
    if (asked.topics.every(({ name }) => find(name) === undefined))
      return this.#fail(body, 404, "TOPOLOGY_UNKNOWN");
    const headers: Readonly<Record<string, string>> = {
      "content-type": "text/event-stream",
      ...this.responseHeaders,
    };
    const connection = new FakeConnection({
      body,
      request: asked,
      find,
      clock,
      keepAliveMs,
      instance,
      stateOf: (hub) => this.#stateOf(hub),
      write: (frame) => {
        if (this.mode === "hanging") return;
        if (frame.includes("\nevent: state\n")) this.stateLength += frame.length;
        body.push(encoder.encode(this.tamper(frame)));
      },
      onClosed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    request.signal.addEventListener("abort", () => connection.close(), { once: true });
    connection.begin();
    return { status: 200, header: (header) => headers[header], body };
  }

  /** A state is kept for a second, and followed by the events since, as long as the log has them. */
  #stateOf(hub: WatchHub): TopologyState {
    const now = this.#options.clock.monotonic();
    const kept = this.#states.get(hub);
    if (kept !== undefined && now - kept.at < 1_000) {
      const { epoch, seqNo } = kept.state;
      if (hub.eventsSince(epoch, seqNo) !== undefined) return kept.state;
    }
    const { state } = hub;
    this.#states.set(hub, { state, at: now });
    return state;
  }

  #fail(body: EventChannel<Uint8Array>, status: number, code: string): TransportResponse {
    body.push(encoder.encode(JSON.stringify({ error: { code, message: "no" } })));
    body.close();
    return { status, header: (header) => this.responseHeaders[header], body };
  }
}
