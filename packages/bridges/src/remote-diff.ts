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

/** What a receiver may believe of a node. More than one per node is possible after a failed call: did it arrive? */
export interface NodeBelief {
  /** Absent: no member. */
  readonly node: ClusterNode | undefined;
  readonly isBlocked: boolean;
}

/** A node that may need events: how it was told last, and how it is now. */
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
  /** A leave comes before a join, a join before a block. */
  readonly steps: readonly NodeStep[];
  /** A join is due but was held back. */
  readonly isHeld: boolean;
}

/** The nodes that differ in what Remoting cares for, and those in doubt; sorted by id. */
export function listChanges(
  told: RemoteView,
  target: RemoteView,
  doubtful: Iterable<NodeId>,
  delta: SnapshotDelta = diffSnapshots(told, target),
): readonly NodeChange[] {
  const changes: NodeChange[] = [];
  for (const was of delta.removed) changes.push({ id: was.id, was, is: undefined });
  for (const is of delta.added) changes.push({ id: is.id, was: undefined, is });
  for (const { before: was, after: is } of delta.updated) {
    if (isMoved(was, is)) changes.push({ id: is.id, was, is });
  }
  for (const id of new Set([...delta.blocked, ...delta.unblocked, ...doubtful])) {
    const was = told.members.get(id);
    const is = target.members.get(id);
    const isListed = was === undefined ? is !== undefined : is === undefined || isMoved(was, is);
    if (!isListed) changes.push({ id, was, is });
  }
  return changes.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The events that bring a receiver to what is wanted, whichever of the beliefs it holds. */
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

  // A leave made the receiver forget the block.
  const mayBeBlocked = stale === undefined && beliefs.some((belief) => belief.isBlocked);
  const mayBeFree = stale !== undefined || beliefs.some((belief) => !belief.isBlocked);
  if (isBlocked && mayBeFree) steps.push({ kind: "blocked", node });
  if (!isBlocked && mayBeBlocked) steps.push({ kind: "unblocked", node });
  return { steps, isHeld: false };
}

/** What a receiver believes after a step. */
export function afterStep(belief: NodeBelief, { kind, node }: NodeStep): NodeBelief {
  if (kind === "leave") return { node: undefined, isBlocked: false };
  if (kind === "join") return { node, isBlocked: belief.isBlocked };
  return { node: belief.node, isBlocked: kind === "blocked" };
}

/** Only a new address needs a new channel. */
function isMoved(a: ClusterNode, b: ClusterNode): boolean {
  return a.host !== b.host || a.port !== b.port;
}
