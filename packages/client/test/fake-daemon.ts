import {
  createClusterNode,
  createSnapshot,
  EventChannel,
  MemberSet,
  ProvisioningError,
  type ClusterNodeInput,
  type Clock,
  type LogPosition,
  type TopologyEvent,
} from "@holdfast/core";
import { WatchHub } from "@holdfast/hub";
import { createSeededRandom, ScriptedUpdates } from "@holdfast/testing";
import type { Transport, TransportRequest, TransportResponse } from "../src/connection/transport.ts";

export interface FakeDaemonOptions {
  readonly clock: Clock;
  /** How often a quiet connection gets a comment, in milliseconds. @defaultValue 5000 */
  readonly keepAliveMs?: number;
  /** How many events a client can resume over. @defaultValue 1000 */
  readonly retainedEvents?: number;
}

type Body = EventChannel<Uint8Array>;

const encoder = new TextEncoder();

/** A daemon's `/events` without a network: the log of a real hub, sent in the form that the README of the command documents. */
export class FakeDaemon {
  readonly requests: TransportRequest[] = [];
  /** Changes the text of each frame before it is sent. */
  tamper: (frame: string) => string = (frame) => frame;
  /** `down` refuses connections, `hanging` accepts them and sends nothing. */
  mode: "up" | "down" | "hanging" = "up";
  /** The status of every response; 200 serves the log. */
  status = 200;
  responseHeaders: Readonly<Record<string, string>> = {};
  readonly #options: FakeDaemonOptions;
  readonly #bodies = new Map<Body, () => void>();
  #updates = new ScriptedUpdates();
  #hub: WatchHub;
  #runs = 0;

  constructor(options: FakeDaemonOptions) {
    this.#options = options;
    this.#hub = this.#createHub();
  }

  get hub(): WatchHub {
    return this.#hub;
  }

  get updates(): ScriptedUpdates {
    return this.#updates;
  }

  get openConnections(): number {
    return this.#bodies.size;
  }

  readonly transport: Transport = async (request) => this.#open(request);

  publish(nodes: readonly ClusterNodeInput[]): void {
    const members = (this.#hub.state.snapshot?.members ?? MemberSet.empty).replace(
      nodes.map(createClusterNode),
    );
    const snapshot = createSnapshot({
      providerId: "backend",
      members,
      observedAt: this.#options.clock.now(),
    });
    this.#updates.send({ snapshot, isFresh: true, availability: "available" });
  }

  /** Breaks every connection. */
  disconnect(): void {
    const error = new ProvisioningError("STREAM_FAILED", "the connection broke");
    for (const body of this.#bodies.keys()) this.#close(body, { error });
  }

  /** A new run with another epoch, and without the log of the old one. */
  restart(): void {
    this.disconnect();
    this.#updates = new ScriptedUpdates();
    this.#hub = this.#createHub();
  }

  /** Sends any text on every connection. */
  send(text: string): void {
    for (const body of this.#bodies.keys()) body.push(encoder.encode(text));
  }

  #createHub(): WatchHub {
    const { clock, retainedEvents } = this.#options;
    const random = createSeededRandom(++this.#runs);
    const hub = new WatchHub({
      source: this.#updates,
      clock,
      random,
      epoch: `run-${this.#runs}`,
      retainedEvents,
    });
    hub.start();
    return hub;
  }

  #open(request: TransportRequest): TransportResponse {
    this.requests.push(request);
    if (this.mode === "down")
      throw new ProvisioningError("CONNECTIVITY_REFUSED", `${request.url} cannot be reached`);
    const headers: Readonly<Record<string, string>> = {
      "content-type": "text/event-stream",
      ...this.responseHeaders,
    };
    const body: Body = new EventChannel(request.signal);
    const { status } = this;
    if (status === 200 && this.mode === "up") this.#serve(body, request);
    else if (status === 200) this.#bodies.set(body, () => undefined);
    request.signal.addEventListener("abort", () => this.#close(body), { once: true });
    return { status, header: (name) => headers[name], body };
  }

  #serve(body: Body, { headers }: TransportRequest): void {
    const hub = this.#hub;
    const { clock, keepAliveMs = 5_000 } = this.#options;
    const write = (text: string) => {
      if (this.mode !== "hanging") body.push(encoder.encode(text));
    };
    let timer: Disposable;
    const keepAlive = () => {
      timer = clock.schedule(keepAliveMs, () => {
        write(": nothing new\n\n");
        keepAlive();
      });
    };
    const send = (event: TopologyEvent) => {
      timer[Symbol.dispose]();
      keepAlive();
      write(this.tamper(toFrame(event.kind, event, toDocument(event))));
    };
    keepAlive();
    const unsubscribe = hub.onEvent(send);
    this.#bodies.set(body, () => {
      timer[Symbol.dispose]();
      unsubscribe();
    });
    write("retry: 2000\n\n");
    const missed = this.#missedBy(headers["last-event-id"]);
    if (missed === undefined) write(this.tamper(toFrame("state", hub.state, toStateDocument(hub))));
    else {
      for (const event of missed) send(event);
      write(": up to date\n\n");
    }
  }

  #missedBy(lastEventId: string | undefined): readonly TopologyEvent[] | undefined {
    const at = lastEventId?.lastIndexOf(":") ?? -1;
    if (lastEventId === undefined || at < 0) return undefined;
    return this.#hub.eventsSince(lastEventId.slice(0, at), Number(lastEventId.slice(at + 1)));
  }

  #close(body: Body, failure?: { readonly error: unknown }): void {
    this.#bodies.get(body)?.();
    this.#bodies.delete(body);
    body.close(failure);
  }
}

export function toFrame(event: string, { epoch, seqNo }: LogPosition, document: object): string {
  return `id: ${epoch}:${seqNo}\nevent: ${event}\ndata: ${JSON.stringify(document)}\n\n`;
}

function toStateDocument(hub: WatchHub): object {
  const { epoch, seqNo, status, statusReason, statusCause, isStale, snapshot } = hub.state;
  const { providerId = null, hash = null, blockedNodes = [], retained, members = [] } = snapshot ?? {};
  const memberCount = snapshot?.members.size ?? 0;
  const head = { epoch, seqNo, status, reason: statusReason, cause: statusCause, isStale };
  return { ...head, providerId, hash, blockedNodes, retained, memberCount, members: [...members] };
}

function toDocument(event: TopologyEvent): object {
  if (event.kind !== "snapshot") return event;
  const { kind, epoch, seqNo, at, previousHash = null, snapshot, delta } = event;
  const { providerId, hash, blockedNodes, retained, members } = snapshot;
  const { added, blocked, unblocked } = delta;
  const updated = delta.updated.map(({ after }) => after);
  const removed = delta.removed.map(({ id }) => id);
  return {
    kind,
    epoch,
    seqNo,
    at,
    previousHash,
    providerId,
    hash,
    blockedNodes,
    retained,
    memberCount: members.size,
    delta: { added, updated, removed, blocked, unblocked },
  };
}
