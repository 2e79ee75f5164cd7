import type { TopologyName } from "@holdfast/core";
import type { EventDocument, StateDocument } from "../documents/topology-documents.ts";
import { toJsonText } from "../../output/printable.ts";
import { SharedDocument } from "../sending/shared-document.ts";
import type { StreamTopic } from "./stream-topics.ts";
import type { FeedListener, StreamForm, TopologyFeed } from "./topology-feed.ts";

/** The follower of a subscription. */
export interface Subscriber {
  /** True: documents are sent compressed. */
  readonly isDeflated: boolean;
  /** The subscription may have something to send. */
  wake(subscription: Subscription): void;
  /** Keeps a document in memory until the result is disposed of. */
  hold(document: SharedDocument): Disposable;
  /** The next document cannot be made. */
  fail(): void;
}

export interface SubscriptionOptions {
  readonly feed: TopologyFeed;
  readonly form: StreamForm;
  readonly topic: StreamTopic;
  readonly subscriber: Subscriber;
}

/** `live`: events follow. `ended`: the last event was sent. `gone`: the topology has disappeared as well. */
export type SubscriptionStage = "live" | "ended" | "gone";

type Arrived = (StateDocument | EventDocument) & { readonly hold: Disposable };

/** The position of a follower in the log of one topology. */
export class Subscription implements FeedListener, Disposable {
  readonly feed: TopologyFeed;
  /** For the follower: true while the subscription is in its queue. */
  isQueued = false;
  readonly #form: StreamForm;
  readonly #subscriber: Subscriber;
  /** The last event that was taken; undefined: the state is next. */
  #seqNo: number | undefined;
  #have: string | undefined;
  #viaFrame: SharedDocument | undefined;
  #stage: SubscriptionStage = "live";
  #isLeaving = false;
  #hasCaughtUp = false;
  #isWaiting = false;
  /** A document that took more than one turn of the event loop. */
  #arrived: Arrived | undefined;

  constructor({ feed, form, topic, subscriber }: SubscriptionOptions) {
    this.feed = feed;
    this.#form = form;
    this.#subscriber = subscriber;
    const { from, have } = topic;
    const isContinued =
      from !== undefined && feed.view.log.eventsSince(from.epoch, from.seqNo, 1) !== undefined;
    this.#seqNo = isContinued ? from.seqNo : undefined;
    this.#have = have;
  }

  get stage(): SubscriptionStage {
    return this.#stage;
  }

  /** True once everything that the topology had when the subscription began was taken, or it has ended. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp || this.#stage !== "live";
  }

  /** Number of events that the follower is behind. 0 while it needs the state, which is not its fault. */
  get lag(): number {
    return this.#seqNo === undefined ? 0 : this.feed.seqNo - this.#seqNo;
  }

  wake(): void {
    this.#subscriber.wake(this);
  }

  /** The topology has disappeared from the directory. */
  leave(): void {
    this.#isLeaving = true;
    this.wake();
  }

  /** The next document to send; undefined when there is none now. Wakes the follower when there is one again. */
  next(): SharedDocument | undefined {
    if (this.#isWaiting || this.#stage === "gone") return undefined;
    const { feed } = this;
    const viaFrame = feed.viaFrame(this.#form);
    if (viaFrame !== this.#viaFrame && this.#stage === "live") {
      this.#viaFrame = viaFrame;
      return viaFrame;
    }
    return this.#nextOfLog() ?? (this.#isLeaving && !this.#isWaiting ? this.#goodbye() : undefined);
  }

  [Symbol.dispose](): void {
    this.#stage = "gone";
    this.#dropArrived();
    this.feed.delete(this);
  }

  #nextOfLog(): SharedDocument | undefined {
    if (this.#stage !== "live") return undefined;
    for (;;) {
      const arrived = this.#takeArrived();
      const next = arrived ?? this.#ask();
      if (next === "expired") {
        this.#seqNo = undefined;
        continue;
      }
      return next === undefined ? undefined : this.#take(next);
    }
  }

  /** Returns `undefined` when everything was taken, and when the document takes more than one turn. */
  #ask(): StateDocument | EventDocument | "expired" | undefined {
    const { feed } = this;
    const { isDeflated } = this.#subscriber;
    const form = this.#form;
    const seqNo = this.#seqNo;
    if (seqNo === undefined) {
      // A topology that has disappeared cannot be used any more.
      if (this.#isLeaving) return undefined;
      return this.#orWait(feed.documents.state({ form, isDeflated, have: this.#have }));
    }
    if (seqNo >= feed.seqNo) {
      this.#hasCaughtUp = true;
      return undefined;
    }
    const event = feed.documents.event(seqNo + 1, { form, isDeflated });
    return event === undefined ? "expired" : this.#orWait(event);
  }

  #take(next: StateDocument | EventDocument): SharedDocument {
    if ("position" in next) {
      this.#seqNo = next.position.seqNo;
      this.#have = undefined;
    } else {
      this.#seqNo = next.seqNo;
      if (next.isLast) this.#stage = "ended";
    }
    return next.document;
  }

  #orWait<T extends StateDocument | EventDocument>(next: T | Promise<T | undefined>): T | undefined {
    if (!(next instanceof Promise)) return next;
    this.#isWaiting = true;
    void this.#wait(next);
    return undefined;
  }

  /** Never rejects. */
  async #wait(next: Promise<StateDocument | EventDocument | undefined>): Promise<void> {
    try {
      const arrived = await next;
      if (this.#stage === "gone") return;
      if (arrived !== undefined)
        this.#arrived = { ...arrived, hold: this.#subscriber.hold(arrived.document) };
      this.#isWaiting = false;
      this.wake();
    } catch {
      this.#subscriber.fail();
    }
  }

  /** A state that the log does not continue any more is useless, as is an event of an older position. */
  #takeArrived(): StateDocument | EventDocument | undefined {
    const arrived = this.#arrived;
    this.#dropArrived();
    if (arrived === undefined || arrived.document.isEvicted) return undefined;
    if (!("position" in arrived)) return arrived;
    const { epoch, seqNo } = arrived.position;
    return this.feed.view.log.eventsSince(epoch, seqNo, 1) === undefined ? undefined : arrived;
  }

  #dropArrived(): void {
    this.#arrived?.hold[Symbol.dispose]();
    this.#arrived = undefined;
  }

  #goodbye(): SharedDocument | undefined {
    this.#stage = "gone";
    this.feed.delete(this);
    if (this.#form === "one") return undefined;
    return toGoneDocument(this.feed.name);
  }
}

/** Reports on a stream of several topologies that one of them does not exist. */
export function toGoneDocument(topology: TopologyName): SharedDocument {
  return SharedDocument.ofText(`event: gone\ndata: ${toJsonText({ topology })}\n\n`);
}
