import type { TopologyName } from "@holdfast/core";
import { toJsonText } from "../../output/printable.ts";
import type { TopologyDocuments } from "../documents/topology-documents.ts";
import { SharedDocument } from "../sending/shared-document.ts";
import type { ServerView } from "../server-view.ts";

/** A follower's interest in a topology. */
export interface FeedListener {
  /** There may be something to send. */
  wake(): void;
  /** The topology has disappeared. */
  leave(): void;
}

export interface TopologyFeedOptions {
  readonly name: TopologyName;
  readonly view: ServerView;
  /** The id of this daemon. */
  readonly instance: string;
  readonly documents: TopologyDocuments;
}

/** How followers are addressed: on a stream of one topology, or on one of several, where each frame names its topology. */
export type StreamForm = "one" | "named";

/** Tells the followers of one topology that there is something to send. */
export class TopologyFeed implements Disposable {
  readonly name: TopologyName;
  readonly view: ServerView;
  readonly documents: TopologyDocuments;
  readonly #instance: string;
  readonly #listeners: Set<FeedListener> = new Set();
  #unsubscribe: (() => void) | undefined;
  #seqNo = 0;
  #via: readonly string[] = [];
  /** Replaced when the list changes. */
  #viaFrames: Readonly<Record<StreamForm, SharedDocument>>;

  constructor({ name, view, instance, documents }: TopologyFeedOptions) {
    this.name = name;
    this.view = view;
    this.documents = documents;
    this.#instance = instance;
    this.#viaFrames = this.#toViaFrames();
  }

  /** The number of the newest event. */
  get seqNo(): number {
    return this.#seqNo;
  }

  /** Where the content comes from, as a frame without an id. Another object when it has changed. */
  viaFrame(form: StreamForm): SharedDocument {
    return this.#viaFrames[form];
  }

  add(listener: FeedListener): void {
    if (this.#unsubscribe === undefined) {
      const { log } = this.view;
      this.#seqNo = log.state.seqNo;
      this.checkVia();
      this.#unsubscribe = log.onEvent(({ seqNo }) => this.#onEvent(seqNo));
    }
    this.#listeners.add(listener);
  }

  delete(listener: FeedListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this[Symbol.dispose]();
  }

  /** Sends the list again when it has changed. The log has no event for that. */
  checkVia(): void {
    const via = this.view.via();
    if (via.length === this.#via.length && via.every((id, index) => id === this.#via[index])) return;
    this.#via = [...via];
    this.#viaFrames = this.#toViaFrames();
    this.#wakeAll();
  }

  /** The topology has disappeared. */
  leave(): void {
    for (const listener of this.#listeners) listener.leave();
  }

  [Symbol.dispose](): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #onEvent(seqNo: number): void {
    this.#seqNo = seqNo;
    this.checkVia();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const listener of this.#listeners) listener.wake();
  }

  #toViaFrames(): Readonly<Record<StreamForm, SharedDocument>> {
    const via = [this.#instance, ...this.#via];
    return { one: toFrame(via), named: toFrame({ topology: this.name, via }) };
  }
}

function toFrame(data: unknown): SharedDocument {
  return SharedDocument.ofText(`event: via\ndata: ${toJsonText(data)}\n\n`);
}
