import {
  includesSorted,
  type ClusterNode,
  type Epoch,
  type GuardHold,
  type NodeId,
  type ProviderAnswer,
  type ProviderId,
  type RemoteNodeReport,
  type SnapshotEvent,
  type TopologyEvent,
  type TopologyState,
  type TopologyStatus,
} from "@holdfast/core";

/**
 * `in`: a member that the active provider lists. `blocked`: a member that Remoting isolated. `held`: it is not, or not yet, as
 * the active provider says, because a guard or a failure holds what was known. `out`: no member. `unknown`: no member, and
 * nothing is known of it.
 */
export type NodeStanding = "in" | "blocked" | "held" | "out" | "unknown";

/**
 * The rule by which a node stands as it does.
 * - `listed`: the active provider lists it.
 * - `blocked`, `restoring`: Remoting isolated it; `restoring` waits for the next good refresh.
 * - `removal_dwell`, `mass_removal`, `last_known_good`: a guard holds (`GuardKind`).
 * - `stale`: the topology is not current, and what was known last is held.
 * - `removed`: the provider no longer listed it. `not_listed_after_switch`: it was known to the provider that was left, and the
 *   new one, proven by then, does not list it.
 * - `not_believed`: only providers that are not active list it.
 * - `no_snapshot`: nothing has arrived yet. `never_seen`: nobody lists it, and no kept event names it.
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
  /** Whose snapshot it was. */
  readonly providerId: ProviderId;
}

/** What one provider says of the node. */
export interface NodeView {
  readonly providerId: ProviderId;
  readonly isActive: boolean;
  readonly isListed: boolean;
  /** Wall-clock milliseconds at which its answer was read. */
  readonly observedAt: number;
  readonly revision?: string | undefined;
}

/** Why a node stands as it does. */
export interface NodeExplanation {
  readonly nodeId: NodeId;
  readonly standing: NodeStanding;
  readonly rule: ExplainRule;
  /** For people; never empty. */
  readonly reason: string;
  /** As it is a member, or was one last. */
  readonly node?: ClusterNode | undefined;
  readonly lastChange?: NodeChangePoint | undefined;
  /** The guard that holds it. */
  readonly hold?: GuardHold | undefined;
  /** What Remoting knows of it. */
  readonly remote?: RemoteNodeReport | undefined;
  readonly providers: readonly NodeView[];
  readonly epoch: Epoch;
  /** Of the last event that the explanation knows of. */
  readonly seqNo: number;
  readonly status: TopologyStatus;
  /** The provider whose snapshot is in force, when its answer was read, and at which `seqNo` it came. */
  readonly snapshot?:
    | { readonly providerId: ProviderId; readonly observedAt: number; readonly seqNo: number }
    | undefined;
  /** The oldest event that is kept; a change before it is not known of. Absent when none is. */
  readonly keptSince?: number | undefined;
}

export interface ExplainOptions {
  /** What the providers said last. @defaultValue none */
  readonly answers?: readonly ProviderAnswer[] | undefined;
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
  /** Until then it was a member only because it was kept after a switch. */
  readonly wasRetained: boolean;
}

/** Explains from the state, the kept log (oldest first) and what the providers say. */
export function explainNode(
  nodeId: NodeId,
  state: TopologyState,
  log: readonly TopologyEvent[],
  { answers = [], remote }: ExplainOptions = {},
): NodeExplanation {
  const { snapshot, snapshotSeqNo, epoch, seqNo, status } = state;
  const trace = findLastChange(nodeId, log);
  const providers = answers.map(({ providerId, isActive, snapshot: { members, observedAt, revision } }) => ({
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
    // With both, a member that a standby still lists is kept by its objection.
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
    return { standing: "unknown", rule: "no_snapshot", reason: `nothing has arrived yet: ${statusReason}` };
  }
  const listing = providers.filter(({ isListed }) => isListed);
  const others = listing.filter(({ isActive }) => !isActive).map(({ providerId }) => `"${providerId}"`);
  const beside = others.length === 0 ? "" : `; ${others.join(", ")}, not active, lists it`;
  if (trace?.change === "removed") {
    const rule = trace.wasRetained ? "not_listed_after_switch" : "removed";
    const reason = trace.wasRetained
      ? `"${trace.providerId}" took over and did not list it${beside}`
      : `"${trace.providerId}" no longer listed it${beside}`;
    return { standing: "out", rule, reason };
  }
  if (others.length > 0) {
    const reason = `"${snapshot.providerId}" is active and does not list it${beside}`;
    return { standing: "out", rule: "not_believed", reason };
  }
  const reason = "no provider that is watched lists it, and no event that is kept names it";
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
 * A hold ends after the snapshot that shows its end. At a switch the hold of the new provider begins before that of the other one
 * ends, so each provider counts by itself.
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
  // A block that outlives a membership says nothing about how it ended.
  if (!snapshot.members.has(nodeId)) return undefined;
  if (delta.blocked.includes(nodeId)) return { change: "blocked" };
  return delta.unblocked.includes(nodeId) ? { change: "unblocked" } : undefined;
}

function toPoint({ change, seqNo, at, providerId }: Trace): NodeChangePoint {
  return { change, seqNo, at, providerId };
}
