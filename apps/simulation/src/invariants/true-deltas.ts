import {
  createClusterNode,
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type ProviderSnapshot,
  type TopologyEvent,
} from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

type Content = Pick<ProviderSnapshot, "members" | "blockedNodes" | "hash">;

const NOTHING: Content = { members: MemberSet.empty, blockedNodes: [], hash: "" };

/**
 * Equal content is not delivered again, a hash matches its content, and a delta leads from the receiver's content to
 * the new one: in the log from the previous event, at a port from the acknowledged snapshot.
 */
export class TrueDeltas implements Invariant {
  readonly name = "true-deltas";
  readonly requirements = "R2.3";
  readonly #context: InvariantContext;
  #last: Content | undefined;
  readonly #acknowledged = new Map<string, ProviderSnapshot>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#last = undefined;
    this.#acknowledged.clear();
  }

  event(event: TopologyEvent, _life: Life): void {
    if (event.kind !== "snapshot") return;
    const { report } = this.#context;
    const { snapshot, previousHash, seqNo } = event;
    if (snapshot.hash === this.#last?.hash)
      report(`the equal hash ${snapshot.hash} is delivered again at ${seqNo}`);
    if (previousHash !== this.#last?.hash)
      report(`previousHash of ${seqNo} is not that of the last snapshot`);
    if (snapshot.hash !== hashOf(snapshot)) report(`the hash of ${seqNo} is not that of its content`);
    const wrong = compareDeltas(event.delta, this.#last ?? NOTHING, snapshot);
    if (wrong !== undefined) report(`the delta of ${seqNo} is wrong: ${wrong}`);
    this.#last = snapshot;
  }

  callBegan({ call, seqNo }: PortRecord): void {
    if (call.method !== "applySnapshot") return;
    const { report } = this.#context;
    const { snapshot, previousHash, delta } = call.tick;
    const last = this.#acknowledged.get(call.port);
    if (previousHash !== last?.hash) report(`previousHash of ${seqNo} is not what ${call.port} acknowledged`);
    const wrong = compareDeltas(delta, last ?? NOTHING, snapshot);
    if (wrong !== undefined) report(`the delta of ${seqNo} for ${call.port} is wrong: ${wrong}`);
  }

  callEnded({ call, outcome }: PortRecord): void {
    if (call.method === "applySnapshot" && outcome === "done")
      this.#acknowledged.set(call.port, call.tick.snapshot);
  }
}

/** Computed from copies of the nodes, without incremental sums. */
function hashOf({ members, blockedNodes, providerId }: ProviderSnapshot): string {
  const copies = MemberSet.from(members.toArray().map((node) => createClusterNode({ ...node })));
  return createSnapshot({ providerId, members: copies, blockedNodes, observedAt: 0 }).hash;
}

function compareDeltas(
  actual: ReturnType<typeof diffSnapshots>,
  before: Content,
  after: Content,
): string | undefined {
  const copy = MemberSet.from(before.members.toArray().map((node) => createClusterNode({ ...node })));
  const expected = describe(diffSnapshots({ ...before, members: copy }, after));
  const got = describe(actual);
  return got === expected ? undefined : `got ${got}, expected ${expected}`;
}

function describe({ added, updated, removed, blocked, unblocked }: ReturnType<typeof diffSnapshots>): string {
  const changed = updated.map(
    ({ before: { id, host, port }, after }) => `${id} ${host}:${port}>${after.host}:${after.port}`,
  );
  return `+${idsOf(added)} -${idsOf(removed)} ~${changed.join()} !${blocked.join("")} ?${unblocked.join("")}`;
}

function idsOf(nodes: readonly { readonly id: string }[]): string {
  return nodes.map(({ id }) => id).join("");
}
