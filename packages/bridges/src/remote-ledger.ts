import {
  MemberSet,
  type NodeId,
  type ProviderSnapshot,
  type RemoteNodeReport,
  type SnapshotHash,
} from "@holdfast/core";
import {
  afterStep,
  listChanges,
  planNode,
  type NodeBelief,
  type NodeChange,
  type NodeStep,
  type RemoteView,
} from "./remote-diff.ts";
import { deltaFrom, type PendingSnapshot } from "./snapshot-tick.ts";

/** What is about to be told of one node; `steps` is not empty. */
export interface PlannedChange {
  readonly change: NodeChange;
  readonly steps: readonly NodeStep[];
}

/** What Remoting has been told. */
interface ToldView extends RemoteView {
  /** Of the snapshot that it is; empty where it lies between two. */
  readonly hash: SnapshotHash;
}

const NOTHING: ToldView = { members: MemberSet.empty, blockedNodes: [], hash: "" };

/**
 * What Remoting has acknowledged, and the way from there to a target: `aim`, then batches of `next` that are each
 * acknowledged or left in doubt, then `land`. Holds references to member sets, never copies of them.
 */
export class RemoteLedger {
  /** All that may be believed of a node since a call that told of it failed and was given up. */
  readonly #doubts = new Map<NodeId, readonly NodeBelief[]>();
  readonly #toldAt = new Map<NodeId, number>();
  #told = NOTHING;
  #toldBlocked: ReadonlySet<NodeId> = new Set();
  #target: ToldView = NOTHING;
  #targetBlocked: ReadonlySet<NodeId> = new Set();
  #changes: readonly NodeChange[] = [];
  #held: NodeId[] = [];
  /** How many of the changes were planned, and how many of these were acknowledged. */
  #planned = 0;
  #acknowledged = 0;
  #isSettled = true;

  /** The last target was reached: nothing is held back, left untold or in doubt. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  aim(pending: PendingSnapshot): void {
    const target = pending.snapshot;
    this.#target = target;
    this.#targetBlocked = new Set(target.blockedNodes);
    const delta = deltaFrom(this.#told === NOTHING ? undefined : this.#told, pending);
    this.#changes = listChanges(this.#told, target, this.#doubts.keys(), delta);
    this.#held = [];
    this.#planned = this.#acknowledged = 0;
    this.#isSettled = false;
  }

  get hasMore(): boolean {
    return this.#planned < this.#changes.length;
  }

  /** The next changes, sorted by id, of `size` steps or a few more; empty when there are none left. */
  next(size: number, holdsJoin: (id: NodeId) => boolean): readonly PlannedChange[] {
    const batch: PlannedChange[] = [];
    let steps = 0;
    while (steps < size && this.hasMore) {
      const change = this.#changes[this.#planned++]!;
      const wanted = { node: change.is, isBlocked: this.#targetBlocked.has(change.id) };
      const plan = planNode(this.#beliefsOf(change), wanted, holdsJoin(change.id));
      if (plan.isHeld) this.#held.push(change.id);
      if (plan.steps.length > 0) batch.push({ change, steps: plan.steps });
      steps += plan.steps.length;
    }
    if (batch.length === 0) this.#acknowledged = this.#planned;
    return batch;
  }

  /** Remoting has taken the last batch. `at`: wall-clock milliseconds. */
  acknowledge(batch: readonly PlannedChange[], at: number): void {
    this.#acknowledged = this.#planned;
    for (const { change, steps } of batch) {
      this.#doubts.delete(change.id);
      if (steps.at(-1)?.kind === "leave") this.#toldAt.delete(change.id);
      else this.#toldAt.set(change.id, at);
    }
  }

  /** Nobody knows how much of the last batch arrived. The next pass tells these nodes in full. */
  doubt(batch: readonly PlannedChange[]): void {
    for (const { change, steps } of batch) {
      const before = this.#beliefsOf(change);
      const beliefs = [...before];
      for (let belief of before) {
        for (const step of steps) beliefs.push((belief = afterStep(belief, step)));
      }
      this.#doubts.set(change.id, withoutRepeats(beliefs));
    }
  }

  /** Ends a pass, at the target or on the way there. */
  land(): void {
    this.#isSettled = this.#acknowledged === this.#changes.length && this.#held.length === 0;
    // The target itself where possible: the next diff then skips what it shares with its successor.
    const { members, blockedNodes, hash } = this.#isSettled ? this.#target : this.#reached();
    this.#told = { members, blockedNodes, hash };
    this.#toldBlocked = new Set(blockedNodes);
    this.#changes = [];
  }

  /** Of every member, or of one. */
  *report(
    newest: ProviderSnapshot,
    restoring: readonly NodeId[],
    only?: NodeId,
  ): Generator<RemoteNodeReport, undefined> {
    const ids = only === undefined ? newest.members : newest.members.has(only) ? [{ id: only }] : [];
    const blocked = new Set(newest.blockedNodes);
    const restored = new Set(restoring);
    for (const { id: nodeId } of ids) {
      const toldAt = this.#toldAt.get(nodeId);
      const isIsolated = blocked.has(nodeId) && !restored.has(nodeId);
      const isBlocked = blocked.has(nodeId) || this.#toldBlocked.has(nodeId);
      const isOpen = toldAt !== undefined && !isBlocked && !this.#doubts.has(nodeId);
      const state = isIsolated ? "down" : isOpen ? "up" : "degraded";
      yield { nodeId, state, lastUpdateAt: toldAt ?? newest.observedAt };
    }
    return undefined;
  }

  #reached(): ToldView {
    const held = new Set(this.#held);
    const blocked = new Set(this.#told.blockedNodes);
    const upsert = [];
    const remove = [];
    for (const { id, was, is } of this.#changes.slice(0, this.#acknowledged)) {
      if (is !== undefined && !held.has(id)) upsert.push(is);
      else if (was !== undefined) remove.push(id);
      if (this.#targetBlocked.has(id)) blocked.add(id);
      else blocked.delete(id);
    }
    const members = this.#told.members.apply({ upsert, remove });
    return { members, blockedNodes: [...blocked].sort(), hash: "" };
  }

  #beliefsOf({ id, was }: NodeChange): readonly NodeBelief[] {
    return this.#doubts.get(id) ?? [{ node: was, isBlocked: was !== undefined && this.#toldBlocked.has(id) }];
  }
}

function withoutRepeats(beliefs: readonly NodeBelief[]): readonly NodeBelief[] {
  const byContent = new Map<string, NodeBelief>();
  for (const belief of beliefs) {
    byContent.set(`${belief.node?.host} ${belief.node?.port} ${belief.isBlocked}`, belief);
  }
  return [...byContent.values()];
}
