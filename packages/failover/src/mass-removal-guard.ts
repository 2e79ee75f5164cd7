import { diffMembers, type ClusterNode, type ProviderId, type ProviderSnapshot } from "@holdfast/core";
import type { MassRemovalOptions } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";

/** A stand-by, and how it was before it dropped too many at once itself. */
interface Witness {
  readonly calm: ProviderSnapshot;
  readonly seen: ProviderSnapshot;
  readonly disturbedAt: number | undefined;
}

/**
 * Holds an answer that drops more than a share of the members at once. What was shown before stays, until the answer drops
 * fewer again, another provider agrees, the hold time ends, or an operator accepts it. Another provider agrees when it had
 * listed too many of the dropped members to lose them at once, and lists few enough of them now: one that never knew them
 * is no witness.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class MassRemovalGuard {
  readonly #options: MassRemovalOptions;
  /** What is believed. */
  #base: ProviderSnapshot | undefined;
  #hold: Hold | undefined;
  #isAnswered = false;
  #isAccepted = false;
  /** What was refused last, and with whose words: the same question has the same answer. */
  #refused: readonly ProviderSnapshot[] = [];
  readonly #witnesses = new Map<ProviderId, Witness>();

  constructor(options: MassRemovalOptions, base?: ProviderSnapshot) {
    this.#options = options;
    this.#base = base;
  }

  /** What to show for an answer; `others` is what the healthy stand-bys say. */
  pass(answer: ProviderSnapshot, others: readonly ProviderSnapshot[], now: number): ProviderSnapshot {
    this.#isAnswered = true;
    const base = this.#base;
    for (const other of others) this.#observe(other, now);
    const isHeld = base !== undefined && !this.#isOver(now) && this.#isTooMuch(base, answer, others, now);
    if (isHeld) return base;
    this.#base = answer;
    this.#forget();
    return answer;
  }

  /** Nobody answers at the moment: a hold ends in time all the same, and what comes next is judged anew. */
  interrupt(now: number): void {
    this.#isAnswered = false;
    if (this.#isOver(now)) this.#forget();
  }

  /** An operator accepts the answer that is held, at the next `pass`. False when none is. */
  accept(): boolean {
    this.#isAccepted = this.#hold !== undefined && this.#isAnswered;
    return this.#isAccepted;
  }

  /** What is believed is not to be held on to any longer. */
  reset(): void {
    this.#base = undefined;
  }

  get hold(): Hold | undefined {
    return this.#hold;
  }

  #forget(): void {
    this.#hold = undefined;
    this.#isAccepted = false;
    this.#refused = [];
  }

  #isOver(now: number): boolean {
    return this.#isAccepted || (this.#hold !== undefined && now >= this.#hold.endsAt);
  }

  #isTooMuch(
    base: ProviderSnapshot,
    answer: ProviderSnapshot,
    others: readonly ProviderSnapshot[],
    now: number,
  ): boolean {
    const asked = [answer, ...others];
    if (asked.length === this.#refused.length && asked.every((said, i) => said === this.#refused[i]))
      return true;
    const most = this.#options.maxShare * base.members.size;
    const { removed } = diffMembers(base.members, answer.members);
    if (removed.length <= most) return false;
    if (others.some((other) => this.#agrees(other, removed, most))) return false;
    this.#refused = asked;
    this.#hold = this.#toHold(base, answer, removed.length, now);
    return true;
  }

  #agrees(other: ProviderSnapshot, removed: readonly ClusterNode[], most: number): boolean {
    const calm = this.#witnesses.get(other.providerId)?.calm;
    const hadListed = calm === undefined ? 0 : countListed(removed, calm);
    return hadListed > most && countListed(removed, other) <= most;
  }

  /** At the cost of what changed, as long as it is calm. What it has said for the hold time is how it is. */
  #observe(other: ProviderSnapshot, now: number): void {
    const witness = this.#witnesses.get(other.providerId);
    const { maxShare, holdMs } = this.#options;
    const isLong = now - (witness?.disturbedAt ?? now) >= holdMs;
    if (witness?.seen === other && !isLong) return;
    const calm = witness?.calm ?? other;
    const isCalm =
      isLong || diffMembers(calm.members, other.members).removed.length <= maxShare * calm.members.size;
    this.#witnesses.set(
      other.providerId,
      isCalm
        ? { calm: other, seen: other, disturbedAt: undefined }
        : { calm, seen: other, disturbedAt: witness?.disturbedAt ?? now },
    );
  }

  /** Further answers that are too much do not prolong it. */
  #toHold(base: ProviderSnapshot, { providerId }: ProviderSnapshot, nodes: number, now: number): Hold {
    const { holdMs } = this.#options;
    const all = base.members.size;
    const endsAt = this.#hold?.endsAt ?? now + holdMs;
    const reason = `"${providerId}" dropped ${nodes} of ${all} members at once; held until another provider agrees, for ${holdMs} ms at most`;
    return { guard: "mass_removal", providerId, nodes, endsAt, reason };
  }
}

function countListed(nodes: readonly ClusterNode[], { members }: ProviderSnapshot): number {
  let count = 0;
  for (const { id } of nodes) if (members.has(id)) count++;
  return count;
}
