import {
  createSnapshot,
  diffMembers,
  type ClusterNode,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
} from "@holdfast/core";
import { addressOf } from "./address-of.ts";
import type { MassRemovalPolicy } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";
import { StandbyOpinions, type Standbys } from "./standby-opinions.ts";

interface Drop {
  readonly providerId: ProviderId;
  readonly dropped: number;
  readonly listed: number;
}

interface HeldNode {
  readonly node: ClusterNode;
  readonly endsAt: number;
}

/**
 * Keeps members when the active provider drops a large share of them at once. By default only those that another healthy provider
 * still lists (`when: "contested"`); with `when: "always"` all of them, until another provider has removed them too. Kept members
 * are added to the new content, so everything else in it takes effect at once. A member is kept for `holdMs` at most. It
 * leaves earlier when no standby objects any more, when an operator accepts it, and it is a normal member again when the active
 * provider lists it again.
 *
 * A standby that fails during a hold keeps its objection: a brief failure must not evict everyone. A member whose address the new
 * content has under another id has not left.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class MassRemovalGuard {
  readonly #policy: MassRemovalPolicy;
  readonly #opinions: StandbyOpinions;
  readonly #held = new Map<NodeId, HeldNode>();
  /** Members whose hold ended while the active provider had no snapshot. */
  readonly #released = new Set<NodeId>();
  #answer: ProviderSnapshot | undefined;
  #shown: ProviderSnapshot | undefined;
  /** The members to compare with come from an earlier run: standbys that are starting up may still list them. */
  #isRestored: boolean;
  #isAnswered = false;
  #isAccepted = false;
  /** The drop that the kept members were part of. */
  #drop: Drop = { providerId: "", dropped: 0, listed: 0 };
  /** Names the standby that objects now, so it is computed again when an opinion changes. */
  #reason = "";

  /** `base`: the restored snapshot that the first snapshot is compared with. */
  constructor(policy: MassRemovalPolicy, base?: ProviderSnapshot) {
    this.#policy = policy;
    this.#opinions = new StandbyOpinions(policy.holdMs);
    this.#shown = base;
    this.#isRestored = base !== undefined;
  }

  /** Returns what to show for the snapshot of the active provider. */
  pass(active: ProviderId, answer: ProviderSnapshot, standbys: Standbys, now: number): ProviderSnapshot {
    this.#isAnswered = true;
    const isFewer = this.#opinions.keepOnly(new Set([...standbys.ids, active]));
    const hasNews = this.#opinions.observe(standbys, now) || isFewer;
    this.#opinions.credit(active, answer);
    const heldBefore = this.#held.size;
    this.#endHolds(now);
    if (answer !== this.#answer) this.#take(answer, standbys, now);
    const hasStarted = this.#isRestored && !standbys.isPending;
    if (hasStarted) this.#isRestored = false;
    if (hasNews || hasStarted || answer !== this.#answer) this.#reconsider(standbys, now);
    const isSame = answer === this.#answer && heldBefore === this.#held.size;
    this.#answer = answer;
    if (!isSame || this.#shown === undefined) this.#shown = this.#withHeld(answer);
    return this.#shown;
  }

  /** The active provider has no snapshot at the moment. A hold ends in time all the same. */
  interrupt(now: number): void {
    this.#isAnswered = false;
    const before = [...this.#held.keys()];
    this.#endHolds(now);
    for (const id of before) if (!this.#held.has(id)) this.#released.add(id);
  }

  /** An operator accepts the removal that is held, at the next `pass`. False when there is none. */
  accept(): boolean {
    this.#isAccepted = this.#held.size > 0 && this.#isAnswered;
    return this.#isAccepted;
  }

  /** The restored snapshot has expired: the next snapshot is not compared with it. */
  reset(): void {
    this.#shown = undefined;
  }

  get hold(): Hold | undefined {
    const answer = this.#answer;
    if (this.#held.size === 0 || answer === undefined) return undefined;
    let endsAt = 0;
    for (const held of this.#held.values()) endsAt = Math.max(endsAt, held.endsAt);
    const { providerId } = answer;
    return { guard: "mass_removal", providerId, nodes: this.#held.size, endsAt, reason: this.#reason };
  }

  /** When the next kept member leaves; Infinity without one. */
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

  #take(answer: ProviderSnapshot, standbys: Standbys, now: number): void {
    const { share, holdMs } = this.#policy;
    const shown = this.#shown;
    if (shown === undefined) return;
    for (const id of this.#held.keys()) if (answer.members.has(id)) this.#held.delete(id);
    const { removed } = diffMembers(shown.members, answer.members);
    const dropped = removed.filter(({ id }) => !this.#held.has(id) && !this.#released.has(id));
    this.#released.clear();
    const listed = shown.members.size - (removed.length - dropped.length);
    if (!isLarge(dropped.length, listed, share)) return;
    const addresses = new Set(answer.members.toArray().map(addressOf));
    const kept = dropped.filter(
      (node) => !addresses.has(addressOf(node)) && this.#isDoubtful(node.id, "healthy", standbys, now),
    );
    for (const node of kept) this.#held.set(node.id, { node, endsAt: now + holdMs });
    if (kept.length > 0) this.#drop = { providerId: answer.providerId, dropped: dropped.length, listed };
  }

  #reconsider(standbys: Standbys, now: number): void {
    for (const id of this.#held.keys()) {
      if (!this.#isDoubtful(id, "all", standbys, now)) this.#held.delete(id);
    }
    const [example] = this.#held.keys();
    if (example !== undefined) this.#reason = this.#describe(example);
  }

  /** The removal of this member is not to be believed yet. */
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
      ? `${what}; kept until the other providers have answered, ${most}`
      : `${what}, and "${other}", which is not healthy, listed some of them last; these are kept until it agrees, ${most}`;
  }

  /** Cost is proportional to the change and to what is kept. */
  #withHeld(answer: ProviderSnapshot): ProviderSnapshot {
    const shown = this.#shown;
    if (this.#held.size === 0 || shown === undefined) return answer;
    // Built on the members shown before, so that both share structure.
    const { added, updated, removed } = diffMembers(shown.members, answer.members);
    const members = shown.members.apply({
      upsert: [...added, ...updated.map(({ after }) => after)],
      remove: removed.flatMap(({ id }) => (this.#held.has(id) ? [] : id)),
    });
    const retained = [...(answer.retained ?? []), ...this.#held.keys()].sort();
    return createSnapshot({ ...answer, members, retained });
  }
}

/** One member of several is an ordinary removal, whatever its share. */
function isLarge(dropped: number, listed: number, share: number): boolean {
  return dropped > 0 && (dropped === listed || (dropped > 1 && dropped >= share * listed));
}
