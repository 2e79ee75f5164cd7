import type { ClusterNode, TopologyEvent } from "@holdfast/core";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * A Leave is only sent after a snapshot in which the node was missing or had a different address since it joined. So a
 * switch between providers with the same content causes none, and neither does the snapshot that confirms restored
 * content.
 */
export class NoNeedlessLeaves implements Invariant {
  readonly name = "no-needless-leaves";
  readonly requirements = "R2.3 R4.1";
  readonly #context: InvariantContext;
  #shown: ReadonlySet<string> = new Set();
  /** The last snapshot that no longer had the node at its address. */
  readonly #missingAt = new Map<string, number>();
  readonly #joinedAt = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#shown = new Set();
    this.#missingAt.clear();
    this.#joinedAt.clear();
  }

  event(event: TopologyEvent): void {
    if (event.kind !== "snapshot") return;
    const shown = new Set(event.snapshot.members.toArray().map(keyOf));
    for (const key of this.#shown) if (!shown.has(key)) this.#missingAt.set(key, event.seqNo);
    this.#shown = shown;
  }

  callBegan({ call }: PortRecord): void {
    if (call.method !== "applyEvents") return;
    for (const { kind, node, seqNo } of call.events) {
      if (kind !== "leave") continue;
      const joinedAt = this.#joinedAt.get(keyOf(node));
      const missingAt = this.#missingAt.get(keyOf(node)) ?? 0;
      if (joinedAt !== undefined && missingAt <= joinedAt)
        this.#context.report(
          `${keyOf(node)} joined at ${joinedAt}, leaves at ${seqNo}, but was never missing`,
        );
    }
  }

  callEnded({ call, outcome }: PortRecord): void {
    if (call.method !== "applyEvents" || outcome !== "done") return;
    for (const { kind, node, seqNo } of call.events) {
      if (kind === "join") this.#joinedAt.set(keyOf(node), seqNo);
      else if (kind === "leave") this.#joinedAt.delete(keyOf(node));
    }
  }
}

function keyOf({ id, host, port }: Pick<ClusterNode, "id" | "host" | "port">): string {
  return `${id}=${host}:${port}`;
}
