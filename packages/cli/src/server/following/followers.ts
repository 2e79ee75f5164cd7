import type { Socket } from "node:net";
import { refusalOf, type Clock, type TopologyName } from "@holdfast/core";
import type { HttpBindings } from "@hono/node-server";
import { NO_STORE, type HttpFailure } from "../http-failure.ts";
import type { DocumentPool } from "../sending/document-pool.ts";
import type { LoopShare } from "../sending/loop-share.ts";
import type { ServedTopologies } from "../served-topologies.ts";
import type { DirectoryChange, ServerDirectory } from "../server-directory.ts";
import { MAX_SUBSCRIPTIONS } from "../server-limits.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { createNotes, Follower, type FollowerHost } from "./follower.ts";
import { FollowerPump } from "./follower-pump.ts";
import type { StreamTopic } from "./stream-topics.ts";
import type { StreamForm, TopologyFeed } from "./topology-feed.ts";

export interface FollowersOptions {
  readonly directory: ServerDirectory;
  readonly topologies: ServedTopologies;
  readonly pool: DocumentPool;
  readonly clock: Clock;
  readonly share: LoopShare;
  readonly maxClients: number;
  /** Maximum number of events that a client may be behind before it is disconnected. */
  readonly maxLag: number;
  /** A quiet client gets a comment this often, in milliseconds. */
  readonly keepAliveMs: number;
  /** A client that does not accept what was sent within this time is disconnected, in milliseconds. */
  readonly writeDeadlineMs: number;
}

/** A request to follow topologies. */
export interface StreamRequest {
  readonly form: StreamForm;
  /** True: all topologies, also those that appear later. */
  readonly isAll: boolean;
  /** The topologies to follow, and positions in others. */
  readonly topics: ReadonlyMap<TopologyName, StreamTopic>;
}

export const EVENT_HEADERS: Readonly<Record<string, string>> = {
  ...NO_STORE,
  "content-type": "text/event-stream",
  "x-accel-buffering": "no",
  vary: "accept-encoding",
};

/** The clients of event streams. */
export class Followers implements Disposable {
  readonly #options: FollowersOptions;
  readonly #bySocket: Map<Socket, Follower> = new Map();
  /** Those on streams of several topologies, with what they asked for. */
  readonly #named: Map<Follower, StreamRequest> = new Map();
  /** The topologies that are followed. */
  readonly #feeds: Map<TopologyName, TopologyFeed> = new Map();
  readonly #host: FollowerHost;
  readonly #stalled: DeadlineQueue<Follower>;
  readonly #quiet: DeadlineQueue<Follower>;
  readonly #unsubscribe: () => void;
  #viaCheck: Disposable | undefined;

  constructor(options: FollowersOptions) {
    const { pool, clock, share, maxLag, keepAliveMs, writeDeadlineMs } = options;
    this.#options = options;
    const stalled = new DeadlineQueue<Follower>({
      clock,
      delayMs: writeDeadlineMs,
      onDue: (follower) => follower.destroy(),
    });
    const quiet = new DeadlineQueue<Follower>({
      clock,
      delayMs: keepAliveMs,
      onDue: (follower) => follower.remind(),
    });
    const pump = new FollowerPump(share);
    this.#stalled = stalled;
    this.#quiet = quiet;
    this.#host = {
      pool,
      maxLag,
      notes: createNotes(),
      wake: (follower) => pump.wake(follower),
      sent: (follower) => quiet.start(follower),
      stalled(follower) {
        quiet.stop(follower);
        stalled.start(follower);
      },
      accepted(follower) {
        stalled.stop(follower);
        quiet.start(follower);
      },
      left: (follower, name) => this.#join(follower, name),
    };
    this.#unsubscribe = options.directory.onChange((change) => this.#onChange(change));
  }

  get size(): number {
    return this.#bySocket.size;
  }

  /** True when the connection is one of an event stream. */
  has(socket: Socket): boolean {
    return this.#bySocket.has(socket);
  }

  /** The reason why a request is refused; undefined when it can be served. Throws `TOPOLOGY_UNKNOWN` when none of its topologies exists. */
  refusal({ form, isAll, topics }: StreamRequest): HttpFailure | undefined {
    const { topologies, maxClients, directory } = this.#options;
    const known = [...topics.keys()].filter((name) => directory.find(name) !== undefined);
    const [first] = topics.keys();
    if (!isAll && known.length === 0 && first !== undefined) topologies.get(first);
    const states = known.map((name) => topologies.get(name).view.log.state);
    const live = states.find(({ status }) => status !== "draining" && status !== "stopped");
    if (!isAll && live === undefined && states[0] !== undefined) {
      const { code, message } = refusalOf(states[0])!;
      return { status: 503, code, message, headers: { "retry-after": "5" } };
    }
    if (this.size >= maxClients) return toTooMany(`${maxClients} clients are already connected`);
    if (form === "one") return undefined;
    let count = isAll ? directory.names().length : topics.size;
    for (const follower of this.#named.keys()) count += follower.size;
    if (count <= MAX_SUBSCRIPTIONS) return undefined;
    return toTooMany(`the clients already follow ${MAX_SUBSCRIPTIONS} topologies together`);
  }

  /** Sends the log until it ends or the client leaves. */
  serve({ incoming, outgoing }: HttpBindings, request: StreamRequest): void {
    const { socket, headers } = incoming;
    if (socket.destroyed) return;
    const { form, isAll, topics } = request;
    const follower = new Follower({
      host: this.#host,
      form,
      outgoing,
      headers: EVENT_HEADERS,
      acceptEncoding: headers["accept-encoding"]?.toString(),
      isResuming: topics.values().some(({ from }) => from !== undefined),
      endsWhenGone: !isAll,
    });
    this.#bySocket.set(socket, follower);
    if (form === "named") this.#named.set(follower, request);
    outgoing.once("close", () => this.#forget(socket, follower));
    for (const name of isAll ? this.#options.directory.names() : topics.keys()) {
      if (this.#options.directory.find(name) === undefined) follower.miss(name);
      else this.#follow(follower, topics.get(name) ?? { name });
    }
    this.#host.wake(follower);
    this.#startViaChecks();
  }

  /** Ends all streams after what there is to send now. */
  finish(): void {
    for (const follower of this.#bySocket.values()) follower.finish();
  }

  /** Disconnects all clients. */
  [Symbol.dispose](): void {
    this.#unsubscribe();
    for (const follower of this.#bySocket.values()) follower.destroy();
  }

  #follow(follower: Follower, topic: StreamTopic): void {
    const { feed } = this.#options.topologies.get(topic.name);
    this.#feeds.set(topic.name, feed);
    follower.follow(feed, topic);
  }

  #forget(socket: Socket, follower: Follower): void {
    this.#bySocket.delete(socket);
    this.#named.delete(follower);
    this.#stalled.stop(follower);
    this.#quiet.stop(follower);
    follower[Symbol.dispose]();
    if (this.size > 0) return;
    this.#feeds.clear();
    this.#viaCheck?.[Symbol.dispose]();
    this.#viaCheck = undefined;
  }

  #onChange({ type, name }: DirectoryChange): void {
    if (type === "disappeared") {
      this.#feeds.get(name)?.leave();
      this.#feeds.delete(name);
      return;
    }
    for (const follower of this.#named.keys()) this.#join(follower, name);
  }

  /** Follows a topology that has appeared, unless the client has not been told yet that the one before it has disappeared. */
  #join(follower: Follower, name: TopologyName): void {
    const request = this.#named.get(follower);
    const isWanted = request !== undefined && (request.isAll || request.topics.has(name));
    if (!isWanted || follower.isFollowing(name) || this.#options.directory.find(name) === undefined) return;
    this.#follow(follower, { name });
  }

  /** No event of the log reports that the origin of the content has changed. */
  #startViaChecks(): void {
    const { clock, keepAliveMs } = this.#options;
    this.#viaCheck ??= clock.schedule(keepAliveMs, () => {
      this.#viaCheck = undefined;
      for (const feed of this.#feeds.values()) feed.checkVia();
      this.#startViaChecks();
    });
  }
}

function toTooMany(message: string): HttpFailure {
  return { status: 503, code: "HTTP_TOO_MANY_CLIENTS", message, headers: { "retry-after": "5" } };
}
