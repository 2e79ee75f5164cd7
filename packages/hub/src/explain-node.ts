import {
  includesSorted,
  type ClusterNode,
  type Epoch,
  type GuardHold,
  type NodeId,
  type ProviderView,
  type ProviderId,
  type RemoteNodeReport,
  type SnapshotEvent,
  type TopologyEvent,
  type TopologyState,
  type TopologyStatus,
} from "@holdfast/core";

/**
 * - `in`: a member that the active provider lists.
 * - `blocked`: a member that Remoting isolated.
 * - `held`: a member of an earlier snapshot that is kept because of a guard or a failure.
 * - `out`: not a member.
 * - `unknown`: not a member, and not found in the snapshots of the providers and in the log.
 */
export type NodeStanding = "in" | "blocked" | "held" | "out" | "unknown";

/**
 * The rule that decided the standing of a node.
 * - `listed`: the active provider lists it.
 * - `blocked`: Remoting isolated it. `restoring`: Remoting restored it, and the block is lifted at the next good refresh.
 * - `removal_dwell`, `mass_removal`, `last_known_good`: this guard keeps it (see `GuardKind`).
 * - `stale`: the topology is not current, and the last snapshot stays in force.
 * - `removed`: the active provider removed it.
 * - `not_listed_after_switch`: the previous active provider listed it; the new one does not, and its removal dwell is over.
 * - `not_believed`: only providers that are not active list it.
 * - `no_snapshot`: no snapshot has been received yet.
 * - `never_seen`: no provider lists it, and no event in the log names it.
 */
export type ExplainRule =
  | "listed"
  | "blocked"
  | "restoring"
  | "removal_dwell"
  | "mass_removal"
  | "last_known_good"
  | "stale"
  | "removed"
  | "not_listed_after_switch"
  | "not_believed"
  | "no_snapshot"
  | "never_seen";

/** The newest event of the kept log that changed the node. */
export interface NodeChangePoint {
  readonly change: "added" | "updated" | "removed" | "blocked" | "unblocked";
  readonly seqNo: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** The provider whose snapshot made the change. */
  readonly providerId: ProviderId;
}

/** Whether one provider lists the node. */
export interface NodeView {
  readonly providerId: ProviderId;
  readonly isActive: boolean;
  readonly isListed: boolean;
  /** Wall-clock milliseconds at which the provider's snapshot was read. */
  readonly observedAt: number;
  readonly revision?: string | undefined;
}

/** Why a node is a member or not. */
export interface NodeExplanation {
  readonly nodeId: NodeId;
  readonly standing: NodeStanding;
  readonly rule: ExplainRule;
  /** Text for people; never empty. */
  readonly reason: string;
  /** The node as a member; if it is not one now, as it was last. */
  readonly node?: ClusterNode | undefined;
  readonly lastChange?: NodeChangePoint | undefined;
  /** The hold of the guard that keeps it. */
  readonly hold?: GuardHold | undefined;
  /** The state of the node in the Remoting bridge. */
  readonly remote?: RemoteNodeReport | undefined;
  readonly providers: readonly NodeView[];
  readonly epoch: Epoch;
  /** The last event that the explanation takes into account. */
  readonly seqNo: number;
  readonly status: TopologyStatus;
  /** The snapshot in force: its provider, when it was read, and the `seqNo` of its event. */
  readonly snapshot?:
    | { readonly providerId: ProviderId; readonly observedAt: number; readonly seqNo: number }
    | undefined;
  /** The `seqNo` of the oldest event in the log. Earlier changes are unknown. Absent when the log is empty. */
  readonly keptSince?: number | undefined;
}

export interface ExplainOptions {
  /** The last snapshots of the providers. @defaultValue none */
  readonly views?: readonly ProviderView[] | undefined;
  readonly remote?: RemoteNodeReport | undefined;
}

interface Verdict {
  readonly standing: NodeStanding;
  readonly rule: ExplainRule;
  readonly reason: string;
  readonly hold?: GuardHold | undefined;
}

interface Trace extends NodeChangePoint {
  readonly node?: ClusterNode | undefined;
  /** Before this change it was a member only because the removal dwell kept it. */
  readonly wasRetained: boolean;
}

/** Derives the explanation from the state, the log (oldest event first) and the last snapshots of the providers. Pure. */
export function explainNode(
  nodeId: NodeId,
  state: TopologyState,
  log: readonly TopologyEvent[],
  { views = [], remote }: ExplainOptions = {},
): NodeExplanation {
  const { snapshot, snapshotSeqNo, epoch, seqNo, status } = state;
  const trace = findLastChange(nodeId, log);
  const providers = views.map(({ providerId, isActive, snapshot: { members, observedAt, revision } }) => ({
    providerId,
    isActive,
    isListed: members.has(nodeId),
    observedAt,
    revision,
  }));
  const node = snapshot?.members.get(nodeId);
  const verdict =
    node === undefined ? judgeAbsent(state, providers, trace) : judgeMember(nodeId, state, providers);
  return {
    nodeId,
    ...verdict,
    node: node ?? trace?.node,
    lastChange: trace && toPoint(trace),
    remote,
    providers,
    epoch,
    seqNo,
    status,
    snapshot: snapshot && {
      providerId: snapshot.providerId,
      observedAt: snapshot.observedAt,
      seqNo: snapshotSeqNo,
    },
    keptSince: log[0]?.seqNo,
  };
}

function judgeMember(nodeId: NodeId, state: TopologyState, providers: readonly NodeView[]): Verdict {
  const { snapshot, restoringNodes, statusReason, isStale } = state;
  const { providerId, blockedNodes, retained } = snapshot!;
  if (restoringNodes.includes(nodeId)) {
    const reason = "Remoting restored it; the block is lifted at the next good refresh";
    return { standing: "blocked", rule: "restoring", reason };
  }
  if (blockedNodes.includes(nodeId)) {
    return { standing: "blocked", rule: "blocked", reason: "Remoting isolated it and has not restored it" };
  }
  if (includesSorted(retained, nodeId)) {
    const isHeld = holdOf("mass_removal", state) !== undefined;
    const isDwelling = holdOf("removal_dwell", state) !== undefined;
    // When both guards hold, a member that a standby still lists is kept by the mass-removal guard.
    const isContested = providers.some(({ isActive, isListed }) => !isActive && isListed);
    if (isHeld && (isContested || !isDwelling)) return judgeHeld("mass_removal", state);
    if (isDwelling) return judgeHeld("removal_dwell", state);
  }
  if (holdOf("last_known_good", state) !== undefined) return judgeHeld("last_known_good", state);
  if (isStale)
    return { standing: "held", rule: "stale", reason: `the topology is not current: ${statusReason}` };
  return { standing: "in", rule: "listed", reason: `"${providerId}" is active and lists it` };
}

function judgeAbsent(
  state: TopologyState,
  providers: readonly NodeView[],
  trace: Trace | undefined,
): Verdict {
  const { snapshot, statusReason } = state;
  if (snapshot === undefined) {
    return {
      standing: "unknown",
      rule: "no_snapshot",
      reason: `no snapshot has been received yet: ${statusReason}`,
    };
  }
  const listing = providers.filter(({ isListed }) => isListed);
  const others = listing.filter(({ isActive }) => !isActive).map(({ providerId }) => `"${providerId}"`);
  const alsoListed = others.length === 0 ? "" : `; standbys that list it: ${others.join(", ")}`;
  if (trace?.change === "removed") {
    const rule = trace.wasRetained ? "not_listed_after_switch" : "removed";
    const reason = trace.wasRetained
      ? `"${trace.providerId}" took over and did not list it${alsoListed}`
      : `"${trace.providerId}" removed it${alsoListed}`;
    return { standing: "out", rule, reason };
  }
  if (others.length > 0) {
    const reason = `"${snapshot.providerId}" is active and does not list it${alsoListed}`;
    return { standing: "out", rule: "not_believed", reason };
  }
  const reason = "no watched provider lists it, and no event in the log names it";
  return { standing: "unknown", rule: "never_seen", reason };
}

function judgeHeld(rule: GuardHold["guard"], state: TopologyState): Verdict {
  const hold = holdOf(rule, state);
  return { standing: "held", rule, reason: hold?.reason ?? state.statusReason, hold };
}

function holdOf(guard: GuardHold["guard"], { holds }: TopologyState): GuardHold | undefined {
  return holds.find((hold) => hold.guard === guard);
}

function findLastChange(nodeId: NodeId, log: readonly TopologyEvent[]): Trace | undefined {
  const snapshots = log.filter((event) => event.kind === "snapshot");
  for (let i = snapshots.length - 1; i >= 0; i--) {
    const found = findChange(nodeId, snapshots[i]!);
    if (found === undefined) continue;
    const { seqNo, at, snapshot } = snapshots[i]!;
    const wasRetained =
      includesSorted(snapshots[i - 1]?.snapshot.retained, nodeId) && !isHoldingAt(seqNo, "mass_removal", log);
    return { ...found, seqNo, at, providerId: snapshot.providerId, wasRetained };
  }
  return undefined;
}

/**
 * Whether the guard held members just before the event `seqNo`. The end of a hold is logged after the snapshot without its members. At
 * a switch the hold of the new provider begins before that of the previous one ends, so holds are tracked for each provider.
 */
function isHoldingAt(seqNo: number, guard: GuardHold["guard"], log: readonly TopologyEvent[]): boolean {
  const holding = new Set<ProviderId>();
  for (const event of log) {
    if (event.seqNo >= seqNo) break;
    if (event.kind !== "guard_changed" || event.guard !== guard) continue;
    if (event.isHolding) holding.add(event.providerId);
    else holding.delete(event.providerId);
  }
  return holding.size > 0;
}

function findChange(
  nodeId: NodeId,
  { delta, snapshot }: SnapshotEvent,
): Pick<Trace, "change" | "node"> | undefined {
  const isIt = ({ id }: ClusterNode) => id === nodeId;
  const removed = delta.removed.find(isIt);
  if (removed !== undefined) return { change: "removed", node: removed };
  const added = delta.added.find(isIt);
  if (added !== undefined) return { change: "added", node: added };
  const updated = delta.updated.find(({ after }) => after.id === nodeId);
  if (updated !== undefined) return { change: "updated", node: updated.after };
  // A block can outlast the membership, and does not explain how the membership ended.
  if (!snapshot.members.has(nodeId)) return undefined;
  if (delta.blocked.includes(nodeId)) return { change: "blocked" };
  return delta.unblocked.includes(nodeId) ? { change: "unblocked" } : undefined;
}

function toPoint({ change, seqNo, at, providerId }: Trace): NodeChangePoint {
  return { change, seqNo, at, providerId };
}
