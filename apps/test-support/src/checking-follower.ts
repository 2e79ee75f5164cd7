import type { ClusterNode } from "@holdfast/core";
import { TestEventSource, type ReceivedEvent } from "./test-event-source.ts";

/** A client of `/events` that applies every event and checks that it continues the event before it. */
export class CheckingFollower implements AsyncDisposable {
  readonly #source: TestEventSource;
  readonly #members: Map<string, ClusterNode> = new Map();
  #hash: string | null = null;
  #seqNo = -1;
  /** Descriptions of events that do not continue the event before them; empty with a correct server. */
  readonly broken: string[] = [];
  /** How often the server sent the whole state. */
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

  /** Applies events until `isWanted` accepts the members; throws if the stream ends before. */
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
    if (data.previousHash !== this.#hash) this.broken.push(`${data.seqNo} has a wrong previous hash`);
    for (const node of [...data.delta.added, ...data.delta.updated]) this.#members.set(node.id, node);
    for (const id of data.delta.removed) this.#members.delete(id);
    if (this.#members.size !== data.memberCount)
      this.broken.push(`${data.seqNo} results in a wrong number of members`);
    this.#hash = data.hash;
  }
}
