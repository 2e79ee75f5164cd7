import {
  diffSnapshots,
  type ClusterNode,
  type NodeId,
  type ProviderSnapshot,
  type SnapshotDelta,
  type RemoteEventKind,
} from "@holdfast/core";

/** A topology as Remoting knows it. */
export type RemoteView = Pick<ProviderSnapshot, "members" | "blockedNodes">;

/**
 * A state that a receiver may have for a node. After a failed call several states are possible, because the call may
 * have arrived or not.
 */
export interface NodeBelief {
  /** Undefined: the receiver has no channel to the node. */
  readonly node: ClusterNode | undefined;
  readonly isBlocked: boolean;
}

/** A node that may need events: as it was delivered last (`was`), and as it is now (`is`). */
export interface NodeChange {
  readonly id: NodeId;
  readonly was: ClusterNode | undefined;
  readonly is: ClusterNode | undefined;
}

export interface NodeStep {
  readonly kind: RemoteEventKind;
  readonly node: ClusterNode;
}

export interface NodePlan {
  /** In the order leave, join, block or unblock. */
  readonly steps: readonly NodeStep[];
  /** True when a join is due but was held back. */
  readonly isHeld: boolean;
}

/** Returns the nodes whose address or block differs, and the uncertain ones, sorted by id. */
export function listChanges(
  delivered: RemoteView,
  target: RemoteView,
  uncertain: Iterable<NodeId>,
  delta: SnapshotDelta = diffSnapshots(delivered, target),
): readonly NodeChange[] {
  const changes: NodeChange[] = [];
  for (const was of delta.removed) changes.push({ id: was.id, was, is: undefined });
  for (const is of delta.added) changes.push({ id: is.id, was: undefined, is });
  for (const { before: was, after: is } of delta.updated) {
    if (isMoved(was, is)) changes.push({ id: is.id, was, is });
  }
  for (const id of new Set([...delta.blocked, ...delta.unblocked, ...uncertain])) {
    const was = delivered.members.get(id);
    const is = target.members.get(id);
    const isListed = was === undefined ? is !== undefined : is === undefined || isMoved(was, is);
    if (!isListed) changes.push({ id, was, is });
  }
  return changes.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Returns the events that bring a receiver to the wanted state from each of its possible states. */
export function planNode(beliefs: readonly NodeBelief[], wanted: NodeBelief, holdsJoins: boolean): NodePlan {
  const { node, isBlocked } = wanted;
  const steps: NodeStep[] = [];
  const stale = beliefs.findLast(
    (belief) => belief.node !== undefined && (node === undefined || isMoved(belief.node, node)),
  )?.node;
  if (stale !== undefined) steps.push({ kind: "leave", node: stale });
  if (node === undefined) return { steps, isHeld: false };

  const needsJoin = stale !== undefined || beliefs.some((belief) => belief.node === undefined);
  if (needsJoin && holdsJoins) return { steps, isHeld: true };
  if (needsJoin) steps.push({ kind: "join", node });

  // After a leave the receiver has dropped the block.
  const mayBeBlocked = stale === undefined && beliefs.some((belief) => belief.isBlocked);
  const mayBeFree = stale !== undefined || beliefs.some((belief) => !belief.isBlocked);
  if (isBlocked && mayBeFree) steps.push({ kind: "blocked", node });
  if (!isBlocked && mayBeBlocked) steps.push({ kind: "unblocked", node });
  return { steps, isHeld: false };
}

/** The state of a receiver after a step. */
export function afterStep(belief: NodeBelief, { kind, node }: NodeStep): NodeBelief {
  if (kind === "leave") return { node: undefined, isBlocked: false };
  if (kind === "join") return { node, isBlocked: belief.isBlocked };
  return { node: belief.node, isBlocked: kind === "blocked" };
}

/** Only a changed address requires a new channel. */
function isMoved(a: ClusterNode, b: ClusterNode): boolean {
  return a.host !== b.host || a.port !== b.port;
}
