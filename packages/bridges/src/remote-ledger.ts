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

/** The events to send for one node; `steps` is not empty. */
export interface PlannedChange {
  readonly change: NodeChange;
  readonly steps: readonly NodeStep[];
}

/** The view that Remoting has acknowledged. */
interface DeliveredView extends RemoteView {
  /** The hash of the snapshot that the view equals; empty while the view is between two snapshots. */
  readonly hash: SnapshotHash;
}

const NOTHING: DeliveredView = { members: MemberSet.empty, blockedNodes: [], hash: "" };

/**
 * Records what Remoting has acknowledged, and computes the steps to a target. Call `setTarget`, then `next` for each
 * batch, which is then passed to `acknowledge` or `markUncertain`, then `endPass`. It holds references to member sets,
 * never copies of them.
 */
export class RemoteLedger {
  /** The possible states of nodes for which a failed call was given up. */
  readonly #uncertain = new Map<NodeId, readonly NodeBelief[]>();
  readonly #deliveredAt = new Map<NodeId, number>();
  #delivered = NOTHING;
  #deliveredBlocked: ReadonlySet<NodeId> = new Set();
  #target: DeliveredView = NOTHING;
  #targetBlocked: ReadonlySet<NodeId> = new Set();
  #changes: readonly NodeChange[] = [];
  #held: NodeId[] = [];
  /** The number of changes that were planned, and of those that were acknowledged. */
  #planned = 0;
  #acknowledged = 0;
  #isSettled = true;

  /** True when the last target was reached: nothing is held back, unsent or uncertain. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  setTarget(pending: PendingSnapshot): void {
    const target = pending.snapshot;
    this.#target = target;
    this.#targetBlocked = new Set(target.blockedNodes);
    const delta = deltaFrom(this.#delivered === NOTHING ? undefined : this.#delivered, pending);
    this.#changes = listChanges(this.#delivered, target, this.#uncertain.keys(), delta);
    this.#held = [];
    this.#planned = this.#acknowledged = 0;
    this.#isSettled = false;
  }

  get hasMore(): boolean {
    return this.#planned < this.#changes.length;
  }

  /** Returns the next changes, sorted by id, with `size` steps or slightly more; empty when there are none left. */
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

  /** Remoting has acknowledged the last batch. `at` is wall-clock time in milliseconds. */
  acknowledge(batch: readonly PlannedChange[], at: number): void {
    this.#acknowledged = this.#planned;
    for (const { change, steps } of batch) {
      this.#uncertain.delete(change.id);
      if (steps.at(-1)?.kind === "leave") this.#deliveredAt.delete(change.id);
      else this.#deliveredAt.set(change.id, at);
    }
  }

  /** The last batch may have been applied in part. The next pass sends these nodes completely. */
  markUncertain(batch: readonly PlannedChange[]): void {
    for (const { change, steps } of batch) {
      const before = this.#beliefsOf(change);
      const beliefs = [...before];
      for (let belief of before) {
        for (const step of steps) beliefs.push((belief = afterStep(belief, step)));
      }
      this.#uncertain.set(change.id, withoutRepeats(beliefs));
    }
  }

  /** Ends a pass, whether the target was reached or not. */
  endPass(): void {
    this.#isSettled = this.#acknowledged === this.#changes.length && this.#held.length === 0;
    // Keeps the target itself where possible, so that the next diff skips what it shares with its successor.
    const { members, blockedNodes, hash } = this.#isSettled ? this.#target : this.#reached();
    this.#delivered = { members, blockedNodes, hash };
    this.#deliveredBlocked = new Set(blockedNodes);
    this.#changes = [];
  }

  /** Reports the state of every member, or only of `only`. */
  *report(
    newest: ProviderSnapshot,
    restoring: readonly NodeId[],
    only?: NodeId,
  ): Generator<RemoteNodeReport, undefined> {
    const ids = only === undefined ? newest.members : newest.members.has(only) ? [{ id: only }] : [];
    const blocked = new Set(newest.blockedNodes);
    const restored = new Set(restoring);
    for (const { id: nodeId } of ids) {
      const deliveredAt = this.#deliveredAt.get(nodeId);
      const isIsolated = blocked.has(nodeId) && !restored.has(nodeId);
      const isBlocked = blocked.has(nodeId) || this.#deliveredBlocked.has(nodeId);
      const isUp = deliveredAt !== undefined && !isBlocked && !this.#uncertain.has(nodeId);
      const state = isIsolated ? "down" : isUp ? "up" : "degraded";
      yield { nodeId, state, lastUpdateAt: deliveredAt ?? newest.observedAt };
    }
    return undefined;
  }

  #reached(): DeliveredView {
    const held = new Set(this.#held);
    const blocked = new Set(this.#delivered.blockedNodes);
    const upsert = [];
    const remove = [];
    for (const { id, was, is } of this.#changes.slice(0, this.#acknowledged)) {
      if (is !== undefined && !held.has(id)) upsert.push(is);
      else if (was !== undefined) remove.push(id);
      if (this.#targetBlocked.has(id)) blocked.add(id);
      else blocked.delete(id);
    }
    const members = this.#delivered.members.apply({ upsert, remove });
    return { members, blockedNodes: [...blocked].sort(), hash: "" };
  }

  #beliefsOf({ id, was }: NodeChange): readonly NodeBelief[] {
    return (
      this.#uncertain.get(id) ?? [
        { node: was, isBlocked: was !== undefined && this.#deliveredBlocked.has(id) },
      ]
    );
  }
}

function withoutRepeats(beliefs: readonly NodeBelief[]): readonly NodeBelief[] {
  const byContent = new Map<string, NodeBelief>();
  for (const belief of beliefs) {
    byContent.set(`${belief.node?.host} ${belief.node?.port} ${belief.isBlocked}`, belief);
  }
  return [...byContent.values()];
}
