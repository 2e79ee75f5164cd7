import type { ClusterNode } from "@holdfast/core";
import { TestEventSource, type ReceivedEvent } from "./test-event-source.ts";

/** A client of `/events` that applies every event and checks that each follows the one before it. */
export class CheckingFollower implements AsyncDisposable {
  readonly #source: TestEventSource;
  readonly #members: Map<string, ClusterNode> = new Map();
  #hash: string | null = null;
  #seqNo = -1;
  /** Events that did not follow the one before; a correct server sends none. */
  readonly broken: string[] = [];
  /** How often the whole state was sent. */
  states = 0;

  constructor(source: TestEventSource) {
    this.#source = source;
  }

  static async open(url: string): Promise<CheckingFollower> {
    return new CheckingFollower(await TestEventSource.open(url));
  }

  get hash(): string | null {
    return this.#hash;
  }

  get members(): ReadonlyMap<string, ClusterNode> {
    return this.#members;
  }

  /** Applies events until the members are as wanted; throws when the stream ends before. */
  async until(isWanted: (members: ReadonlyMap<string, ClusterNode>) => boolean): Promise<void> {
    while (!isWanted(this.#members)) {
      const event = await this.#source.next();
      if (event === undefined) throw new Error(`the stream ended after ${this.#seqNo}`);
      this.#apply(event);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
  }

  #apply({ event, data }: ReceivedEvent): void {
    if (event === "state") {
      this.states++;
      this.#members.clear();
      for (const node of data.members) this.#members.set(node.id, node);
      this.#hash = data.hash;
    } else {
      if (data.seqNo !== this.#seqNo + 1) this.broken.push(`${data.seqNo} after ${this.#seqNo}`);
      if (event === "snapshot") this.#applySnapshot(data);
    }
    this.#seqNo = data.seqNo;
  }

  #applySnapshot(data: ReceivedEvent["data"]): void {
    if (data.previousHash !== this.#hash)
      this.broken.push(`${data.seqNo} does not follow the hash before it`);
    for (const node of [...data.delta.added, ...data.delta.updated]) this.#members.set(node.id, node);
    for (const id of data.delta.removed) this.#members.delete(id);
    if (this.#members.size !== data.memberCount) this.broken.push(`${data.seqNo} leads to another count`);
    this.#hash = data.hash;
  }
}
