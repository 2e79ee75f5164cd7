import { diffMembers, type ClusterNode, type ProviderSnapshot } from "@holdfast/core";
import type { MassRemovalOptions } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";

/**
 * Holds an answer that drops more than a share of the members at once. What was shown before stays, until the answer drops
 * fewer again, another provider agrees, the hold time ends, or an operator accepts it. Another provider agrees when so many
 * of the dropped members are missing from its answer too that the others would be few enough.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class MassRemovalGuard {
  readonly #options: MassRemovalOptions;
  /** What is believed. */
  #base: ProviderSnapshot | undefined;
  #hold: Hold | undefined;
  #isAccepted = false;
  /** What was refused last, and with whose words: the same question has the same answer. */
  #refused: readonly ProviderSnapshot[] = [];

  constructor(options: MassRemovalOptions, base?: ProviderSnapshot) {
    this.#options = options;
    this.#base = base;
  }

  /** What to show for an answer; `others` is what the healthy stand-bys say. */
  pass(answer: ProviderSnapshot, others: readonly ProviderSnapshot[], now: number): ProviderSnapshot {
    const base = this.#base;
    if (base === undefined || this.#isOver(now) || !this.#isTooMuch(base, answer, others, now)) {
      this.#base = answer;
      this.#hold = undefined;
      this.#isAccepted = false;
      this.#refused = [];
      return answer;
    }
    return base;
  }

  /** An operator accepts what is held, at the next `pass`. False when nothing is. */
  accept(): boolean {
    this.#isAccepted = this.#hold !== undefined;
    return this.#isAccepted;
  }

  /** What is believed is not to be held on to any longer. */
  reset(): void {
    this.#base = undefined;
  }

  get hold(): Hold | undefined {
    return this.#hold;
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
    if (others.some((other) => countListed(removed, other) <= most)) return false;
    this.#refused = asked;
    this.#hold ??= this.#toHold(base, answer, removed.length, now);
    return true;
  }

  #toHold(base: ProviderSnapshot, { providerId }: ProviderSnapshot, nodes: number, now: number): Hold {
    const { holdMs } = this.#options;
    const all = base.members.size;
    return {
      guard: "mass_removal",
      providerId,
      nodes,
      endsAt: now + holdMs,
      reason: `"${providerId}" dropped ${nodes} of ${all} members at once; held until another provider agrees, for ${holdMs} ms at most`,
    };
  }
}

function countListed(nodes: readonly ClusterNode[], { members }: ProviderSnapshot): number {
  let count = 0;
  for (const { id } of nodes) if (members.has(id)) count++;
  return count;
}
