import type { ServerResponse } from "node:http";
import type { TopologyName } from "@holdfast/core";
import type { DocumentPool } from "../sending/document-pool.ts";
import type { Part } from "../sending/part.ts";
import { SharedDocument } from "../sending/shared-document.ts";
import { StreamOutput } from "./stream-output.ts";
import { Subscription, toGoneDocument, type Subscriber } from "./subscription.ts";
import type { StreamTopic } from "./stream-topics.ts";
import type { StreamForm, TopologyFeed } from "./topology-feed.ts";

/** Texts that are not of a topology. */
export interface FollowerNotes {
  readonly start: SharedDocument;
  readonly upToDate: SharedDocument;
  readonly nothingNew: SharedDocument;
}

export function createNotes(): FollowerNotes {
  return {
    // The time that a client should wait before it reconnects, in milliseconds (WHATWG HTML, 9.2).
    start: SharedDocument.ofText("retry: 2000\n\n"),
    upToDate: SharedDocument.ofText(": up to date\n\n"),
    nothingNew: SharedDocument.ofText(": nothing new\n\n"),
  };
}

/** What all followers share. */
export interface FollowerHost {
  readonly pool: DocumentPool;
  readonly notes: FollowerNotes;
  /** Maximum number of events that a client may be behind, while it does not accept what was sent, before it is disconnected. */
  readonly maxLag: number;
  /** The follower may have something to send: `serve` is called soon. */
  wake(follower: Follower): void;
  /** The follower has sent something. */
  sent(follower: Follower): void;
  /** The client has to accept what was sent before the follower can continue. */
  stalled(follower: Follower): void;
  /** The client has accepted it. */
  accepted(follower: Follower): void;
  /** The follower has told its client that a topology has disappeared. */
  left(follower: Follower, name: TopologyName): void;
}

export interface FollowerOptions {
  readonly host: FollowerHost;
  readonly form: StreamForm;
  readonly outgoing: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  /** The header `Accept-Encoding` of the request. */
  readonly acceptEncoding: string | undefined;
  /** True: the client resumes, and is to be told when it has received everything that it had missed. */
  readonly isResuming: boolean;
  /** True: the stream ends when all of its topologies are gone. */
  readonly endsWhenGone: boolean;
}

/** About as much is written with one system call. */
const BATCH_BYTES = 131_072;
/** The cost of a system call, as a number of bytes that could be written in the same time. */
const WRITE_COST = 4_096;

/**
 * A client of an event stream: a socket and, for each of its topologies, a position in the log. It has no buffer. What it is sent are
 * documents that all followers share.
 */
export class Follower implements Subscriber {
  /** For the host: true while the follower is in its queue. */
  isQueued = false;
  readonly #options: FollowerOptions;
  readonly #output: StreamOutput;
  readonly #subscriptions: Map<TopologyName, Subscription> = new Map();
  /** The subscriptions that may have something to send. */
  readonly #queue: Subscription[] = [];
  /** Number of subscriptions that have not caught up since they began. */
  #behind = 0;
  readonly #notes: SharedDocument[] = [];
  #mustConfirm: boolean;
  #document: SharedDocument | undefined;
  /** The next part of the document. */
  #at = 0;
  /** The documents of which something was sent since the client has last accepted everything. */
  readonly #sent: SharedDocument[] = [];
  /** Created when it is first needed: most followers never have one after their state. */
  #holds: Map<SharedDocument, Disposable> | undefined;
  #isFinishing = false;
  #hasEnded = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#mustConfirm = options.isResuming;
    this.#notes.push(options.host.notes.start);
    const { outgoing, headers, acceptEncoding } = options;
    const onAccepted = () => this.#accepted();
    this.#output = new StreamOutput({ outgoing, headers, acceptEncoding, onAccepted });
  }

  get isDeflated(): boolean {
    return this.#output.isDeflated;
  }

  /** Number of topologies. */
  get size(): number {
    return this.#subscriptions.size;
  }

  follow(feed: TopologyFeed, topic: StreamTopic): void {
    const { form } = this.#options;
    const subscription = new Subscription({ feed, form, topic, subscriber: this });
    this.#subscriptions.set(feed.name, subscription);
    this.#behind++;
    feed.add(subscription);
    this.wake(subscription);
  }

  /** Tells the client of a stream of several topologies that one of them does not exist now. */
  miss(name: TopologyName): void {
    this.#notes.push(toGoneDocument(name));
  }

  isFollowing(name: TopologyName): boolean {
    return this.#subscriptions.has(name);
  }

  wake(subscription: Subscription): void {
    const { host } = this.#options;
    const { isWaiting } = this.#output;
    if (isWaiting && subscription.lag > host.maxLag) return this.destroy();
    if (!subscription.isQueued) this.#queue.push(subscription);
    subscription.isQueued = true;
    if (!isWaiting) host.wake(this);
  }

  hold(document: SharedDocument): Disposable {
    return this.#options.host.pool.hold(document, () => this.destroy());
  }

  fail(): void {
    this.destroy();
  }

  /** Sends a comment, unless the client waits for something else: it would take it as the confirmation that it has everything. */
  remind(): void {
    if (this.#behind > 0) return this.#options.host.sent(this);
    const { host } = this.#options;
    this.#notes.push(host.notes.nothingNew);
    host.wake(this);
  }

  /** Ends the stream after everything that there is to send now. */
  finish(): void {
    this.#isFinishing = true;
    this.#options.host.wake(this);
  }

  /** Closes the connection. The client sees an incomplete response, connects again and resumes. */
  destroy(): void {
    this.#output.destroy();
  }

  /** The connection is closed. */
  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions.values()) subscription[Symbol.dispose]();
    this.#subscriptions.clear();
    this.#queue.length = 0;
    this.#document = undefined;
    this.#release();
  }

  /** Sends some of what there is to send. Returns the cost, in bytes. */
  serve(): number {
    const output = this.#output;
    if (output.isWaiting || output.isGone || this.#hasEnded) return 0;
    const { host } = this.#options;
    const batch: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < BATCH_BYTES) {
      const part = this.#nextPart();
      if (part === undefined) break;
      const encoded = output.encode(part);
      batch.push(encoded);
      bytes += encoded.byteLength;
    }
    if (batch.length > 0) {
      host.sent(this);
      if (!output.send(batch)) return this.#stall(bytes);
      this.#release();
    }
    if (bytes >= BATCH_BYTES) host.wake(this);
    else if (this.#isOver) this.#end();
    return WRITE_COST + bytes;
  }

  #stall(bytes: number): number {
    for (const document of this.#sent) this.#keep(document);
    this.#options.host.stalled(this);
    return WRITE_COST + bytes;
  }

  #accepted(): void {
    this.#release();
    const { host } = this.#options;
    host.accepted(this);
    if (!this.#hasEnded) host.wake(this);
  }

  /** Everything that was sent was accepted. Only a document that is not complete is needed any longer. */
  #release(): void {
    const document = this.#document;
    this.#sent.length = 0;
    if (document !== undefined) this.#sent.push(document);
    // Most events are sent without a hold.
    if (this.#holds !== undefined) this.#releaseAllBut(this.#holds, document);
  }

  #releaseAllBut(holds: Map<SharedDocument, Disposable>, document: SharedDocument | undefined): void {
    for (const [held, hold] of holds) {
      if (held === document) continue;
      holds.delete(held);
      hold[Symbol.dispose]();
    }
    if (holds.size === 0) this.#holds = undefined;
  }

  #keep(document: SharedDocument): void {
    const holds = (this.#holds ??= new Map());
    if (!holds.has(document)) holds.set(document, this.hold(document));
  }

  #nextPart(): Part | undefined {
    for (;;) {
      const part = this.#document?.parts[this.#at++];
      if (part !== undefined) return part;
      this.#document = this.#nextDocument();
      this.#at = 0;
      if (this.#document === undefined) return undefined;
      this.#sent.push(this.#document);
      if (this.#document.parts.length > 1) this.#keep(this.#document);
    }
  }

  #nextDocument(): SharedDocument | undefined {
    return this.#notes.shift() ?? this.#nextOfTopologies() ?? this.#confirmation();
  }

  #nextOfTopologies(): SharedDocument | undefined {
    for (;;) {
      const [subscription] = this.#queue;
      if (subscription === undefined) return undefined;
      const wasBehind = !subscription.hasCaughtUp;
      const document = subscription.next();
      if (wasBehind && subscription.hasCaughtUp) this.#behind--;
      if (document === undefined || subscription.stage === "gone") this.#queue.shift();
      if (subscription.stage === "gone") this.#leave(subscription);
      if (document !== undefined) return document;
      subscription.isQueued = false;
    }
  }

  #leave({ feed }: Subscription): void {
    this.#subscriptions.delete(feed.name);
    this.#options.host.left(this, feed.name);
  }

  #confirmation(): SharedDocument | undefined {
    if (!this.#mustConfirm || this.#behind > 0) return undefined;
    this.#mustConfirm = false;
    return this.#options.host.notes.upToDate;
  }

  get #isOver(): boolean {
    if (this.#isFinishing) return true;
    const { form, endsWhenGone } = this.#options;
    if (this.#subscriptions.size === 0) return endsWhenGone;
    return form === "one" && this.#subscriptions.values().every(({ stage }) => stage !== "live");
  }

  #end(): void {
    this.#hasEnded = true;
    const { host } = this.#options;
    host.stalled(this);
    this.#output.end(() => host.accepted(this));
  }
}
