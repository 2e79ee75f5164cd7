import {
  createSnapshot,
  diffMembers,
  includesSorted,
  type ClusterNode,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
} from "@holdfast/core";
import { addressOf } from "./address-of.ts";
import type { MassRemovalPolicy } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";
import { StandbyOpinions, type Standbys } from "./standby-opinions.ts";

/** A large removal. */
interface Drop {
  readonly providerId: ProviderId;
  /** How many members were removed. */
  readonly dropped: number;
  /** How many members there were before. */
  readonly listed: number;
}

interface HeldNode {
  readonly node: ClusterNode;
  readonly endsAt: number;
}

/**
 * Keeps members when the active provider removes a large share of them at once. With `when: "contested"`, the default, it keeps those
 * that another healthy provider still lists. With `when: "always"` it keeps all of them until another provider has removed them too.
 * Kept members are added to the new snapshot; everything else in that snapshot takes effect at once.
 *
 * A member is kept for `holdMs` at most. It is removed earlier when no standby lists it any more, or when an operator accepts the
 * removal. It is a normal member again when the active provider lists it again. A standby that fails while members are kept still counts
 * with its last snapshot: a brief failure must not remove all of them. A member that the new snapshot lists at the same address under
 * another id is not kept.
 *
 * Pure: `now` is in monotonic milliseconds.
 */
export class MassRemovalGuard {
  readonly #policy: MassRemovalPolicy;
  readonly #opinions: StandbyOpinions;
  readonly #held = new Map<NodeId, HeldNode>();
  /** Members whose hold ended while the active provider had no snapshot. */
  readonly #released = new Set<NodeId>();
  /** Members whose hold was interrupted because the removal dwell keeps them too, with the end of that hold. */
  readonly #interrupted = new Map<NodeId, number>();
  /** The last snapshot of the active provider. */
  #lastInput: ProviderSnapshot | undefined;
  /** The last snapshot that `pass` returned, or the restored one. The next snapshot is compared with it. */
  #lastOutput: ProviderSnapshot | undefined;
  /** `#lastOutput` comes from an earlier run. While standbys are starting up, they may still list its members. */
  #isRestored: boolean;
  /** The active provider has a snapshot now. */
  #hasSnapshot = false;
  /** An operator has accepted the removal; takes effect at the next `pass`. */
  #isAccepted = false;
  /** The removal that the kept members were part of. */
  #drop: Drop = { providerId: "", dropped: 0, listed: 0 };
  /** Text that names a standby which still lists the kept members; computed again when a standby changes. */
  #reason = "";

  /** The first snapshot is compared with `restored`. */
  constructor(policy: MassRemovalPolicy, restored?: ProviderSnapshot) {
    this.#policy = policy;
    this.#opinions = new StandbyOpinions(policy.holdMs);
    this.#lastOutput = restored;
    this.#isRestored = restored !== undefined;
  }

  /** Returns the snapshot of the active provider, with the kept members added. */
  pass(active: ProviderId, snapshot: ProviderSnapshot, standbys: Standbys, now: number): ProviderSnapshot {
    this.#hasSnapshot = true;
    const isFewer = this.#opinions.keepOnly(new Set([...standbys.ids, active]));
    const isChanged = this.#opinions.observe(standbys, now) || isFewer;
    this.#opinions.clearOverruled(active, snapshot);
    const heldBefore = this.#held.size;
    this.#endHolds(now);
    if (snapshot !== this.#lastInput) {
      this.#take(snapshot, standbys, now);
      // Members that are not listed have been removed, or are held again until the same end.
      for (const id of this.#interrupted.keys()) if (!snapshot.members.has(id)) this.#interrupted.delete(id);
    }
    const hasStarted = this.#isRestored && !standbys.isPending;
    if (hasStarted) this.#isRestored = false;
    if (isChanged || hasStarted || snapshot !== this.#lastInput) this.#reconsider(standbys, now);
    const isSame = snapshot === this.#lastInput && heldBefore === this.#held.size;
    this.#lastInput = snapshot;
    if (!isSame || this.#lastOutput === undefined) this.#lastOutput = this.#withHeld(snapshot);
    return this.#lastOutput;
  }

  /** The active provider has no snapshot. A hold still ends when its time is over. */
  interrupt(now: number): void {
    this.#hasSnapshot = false;
    const before = [...this.#held.keys()];
    this.#endHolds(now);
    for (const id of before) if (!this.#held.has(id)) this.#released.add(id);
  }

  /** An operator accepts the removal that is held back; takes effect at the next `pass`. Returns false when none is held back. */
  accept(): boolean {
    this.#isAccepted = this.#held.size > 0 && this.#hasSnapshot;
    return this.#isAccepted;
  }

  /** The restored snapshot has expired: the next snapshot is not compared with it. */
  reset(): void {
    this.#lastOutput = undefined;
  }

  get hold(): Hold | undefined {
    const snapshot = this.#lastInput;
    if (this.#held.size === 0 || snapshot === undefined) return undefined;
    let endsAt = 0;
    for (const held of this.#held.values()) endsAt = Math.max(endsAt, held.endsAt);
    const { providerId } = snapshot;
    return { guard: "mass_removal", providerId, nodes: this.#held.size, endsAt, reason: this.#reason };
  }

  /** When the time of the next kept member is over; Infinity if no member is kept. */
  get wakeAt(): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const { endsAt } of this.#held.values()) wakeAt = Math.min(wakeAt, endsAt);
    return wakeAt;
  }

  #endHolds(now: number): void {
    const ended = [...this.#held].flatMap(([id, { endsAt }]) =>
      this.#isAccepted || now >= endsAt ? id : [],
    );
    this.#isAccepted = false;
    this.#opinions.overrule(ended);
    for (const id of ended) this.#held.delete(id);
  }

  #take(snapshot: ProviderSnapshot, standbys: Standbys, now: number): void {
    const { share, holdMs } = this.#policy;
    const before = this.#lastOutput;
    if (before === undefined) return;
    this.#release(snapshot);
    const { removed } = diffMembers(before.members, snapshot.members);
    const dropped = removed.filter(({ id }) => !this.#held.has(id) && !this.#released.has(id));
    this.#released.clear();
    const listed = before.members.size - (removed.length - dropped.length);
    if (!isLarge(dropped.length, listed, share)) return;
    const addresses = new Set(snapshot.members.toArray().map(addressOf));
    const endOf = ({ id }: ClusterNode) => this.#interrupted.get(id) ?? now + holdMs;
    const kept = dropped.filter(
      (node) =>
        now < endOf(node) &&
        !addresses.has(addressOf(node)) &&
        this.#isDoubtful(node.id, "healthy", standbys, now),
    );
    for (const node of kept) this.#held.set(node.id, { node, endsAt: endOf(node) });
    if (kept.length > 0) this.#drop = { providerId: snapshot.providerId, dropped: dropped.length, listed };
  }

  /**
   * Ends the holds of members that the snapshot lists. If only the removal dwell keeps a member, the end of its hold is remembered:
   * otherwise alternating switches could keep the member without a limit.
   */
  #release({ members, retained }: ProviderSnapshot): void {
    for (const id of this.#interrupted.keys()) {
      if (members.has(id) && !includesSorted(retained, id)) this.#interrupted.delete(id);
    }
    for (const [id, { endsAt }] of this.#held) {
      if (!members.has(id)) continue;
      this.#held.delete(id);
      if (includesSorted(retained, id)) this.#interrupted.set(id, endsAt);
    }
  }

  #reconsider(standbys: Standbys, now: number): void {
    for (const id of this.#held.keys()) {
      if (!this.#isDoubtful(id, "all", standbys, now)) this.#held.delete(id);
    }
    const [example] = this.#held.keys();
    if (example !== undefined) this.#reason = this.#describe(example);
  }

  /** Whether the removal of this member must wait. */
  #isDoubtful(id: NodeId, which: "healthy" | "all", { isPending }: Standbys, now: number): boolean {
    if (this.#policy.when === "always") return !this.#opinions.isDropped(id, now);
    return (isPending && this.#isRestored) || this.#opinions.findListing(id, which) !== undefined;
  }

  #describe(example: NodeId): string {
    const { providerId, dropped, listed } = this.#drop;
    const what = `"${providerId}" dropped ${dropped} of ${listed} members at once`;
    const most = `for ${this.#policy.holdMs} ms at most`;
    if (this.#policy.when === "always") return `${what}; kept until another provider agrees, ${most}`;
    const healthy = this.#opinions.findListing(example, "healthy");
    if (healthy !== undefined)
      return `${what}, and "${healthy}" still lists some of them; these are kept until it agrees, ${most}`;
    const other = this.#opinions.findListing(example, "all");
    return other === undefined
      ? `${what}; kept until the other providers have delivered a snapshot, ${most}`
      : `${what}, and "${other}", which is not healthy, listed some of them in its last snapshot; these are kept until it agrees, ${most}`;
  }

  /** The cost is proportional to the number of changed and kept members. */
  #withHeld(snapshot: ProviderSnapshot): ProviderSnapshot {
    const before = this.#lastOutput;
    if (this.#held.size === 0 || before === undefined) return snapshot;
    // Built from the members returned before, so that both sets share structure.
    const { added, updated, removed } = diffMembers(before.members, snapshot.members);
    const members = before.members.apply({
      upsert: [...added, ...updated.map(({ after }) => after)],
      remove: removed.flatMap(({ id }) => (this.#held.has(id) ? [] : id)),
    });
    const retained = [...(snapshot.retained ?? []), ...this.#held.keys()].sort();
    return createSnapshot({ ...snapshot, members, retained });
  }
}

/** The removal of one member of several is never large, whatever its share. */
function isLarge(dropped: number, listed: number, share: number): boolean {
  return dropped > 0 && (dropped === listed || (dropped > 1 && dropped >= share * listed));
}
