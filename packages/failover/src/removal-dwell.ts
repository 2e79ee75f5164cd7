import {
  createSnapshot,
  diffMembers,
  type ClusterNode,
  type NodeId,
  type ProviderSnapshot,
} from "@holdfast/core";
import type { Hold } from "./hold.ts";

/**
 * Keeps, after a switch, the members that the provider that was left had listed and the new one does not, until the new one
 * has been active and healthy for the dwell without a break: a stand-by that knows less evicts nobody at the moment of the
 * switch. What the new one adds counts at once, and so does what it listed itself and then takes back. Nobody is kept for
 * more than one switch: whom the next provider does not list either has two against it.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class RemovalDwell {
  readonly #dwellMs: number;
  #answer: ProviderSnapshot | undefined;
  #shown: ProviderSnapshot | undefined;
  readonly #retained = new Set<NodeId>();
  /** The same, sorted; made when it is needed and the set has changed. */
  #sorted: readonly NodeId[] | undefined;
  #provenSince: number | undefined;

  constructor(dwellMs: number) {
    this.#dwellMs = dwellMs;
  }

  /** What to show for the active provider's answer; `isProven` says that it is healthy and current. */
  pass(answer: ProviderSnapshot, isProven: boolean, now: number): ProviderSnapshot {
    if (answer !== this.#answer) this.#take(answer);
    if (this.#retained.size === 0) return answer;
    if (isProven) this.#provenSince ??= now;
    else this.#provenSince = undefined;
    if (now >= this.#endsAt) {
      this.#retain([]);
      this.#shown = answer;
    }
    return this.#shown ?? answer;
  }

  /** The active provider has no answer at the moment. */
  interrupt(): void {
    this.#provenSince = undefined;
  }

  get hold(): Hold | undefined {
    const nodes = this.#retained.size;
    const answer = this.#answer;
    if (nodes === 0 || answer === undefined) return undefined;
    const { providerId } = answer;
    return {
      guard: "removal_dwell",
      providerId,
      nodes,
      endsAt: this.#endsAt,
      reason: `"${providerId}" took over and does not list ${nodes} of the members; they leave once it has proven itself`,
    };
  }

  get #endsAt(): number {
    return this.#provenSince === undefined ? Number.POSITIVE_INFINITY : this.#provenSince + this.#dwellMs;
  }

  #take(answer: ProviderSnapshot): void {
    const before = this.#answer;
    const shown = this.#shown;
    this.#answer = answer;
    if (before === undefined || shown === undefined || this.#dwellMs === 0) {
      this.#shown = answer;
    } else if (before.providerId === answer.providerId) {
      this.#shown = this.#follow(before, answer, shown);
    } else {
      const { removed } = diffMembers(before.members, answer.members);
      this.#retain(removed);
      this.#provenSince = undefined;
      this.#shown = this.#withRetained(answer, answer.members.apply({ upsert: removed }));
    }
  }

  /** At the cost of what changed. */
  #follow(before: ProviderSnapshot, answer: ProviderSnapshot, shown: ProviderSnapshot): ProviderSnapshot {
    if (this.#retained.size === 0) return answer;
    const { added, updated, removed } = diffMembers(before.members, answer.members);
    for (const { id } of added) if (this.#retained.delete(id)) this.#sorted = undefined;
    const members = shown.members.apply({
      upsert: [...added, ...updated.map(({ after }) => after)],
      remove: removed.map(({ id }) => id),
    });
    return this.#withRetained(answer, members);
  }

  #withRetained(answer: ProviderSnapshot, members: ProviderSnapshot["members"]): ProviderSnapshot {
    if (this.#retained.size === 0) return answer;
    this.#sorted ??= [...this.#retained].sort();
    const retained =
      answer.retained === undefined ? this.#sorted : [...answer.retained, ...this.#sorted].sort();
    return createSnapshot({ ...answer, members, retained });
  }

  #retain(nodes: readonly ClusterNode[]): void {
    this.#retained.clear();
    for (const { id } of nodes) this.#retained.add(id);
    this.#sorted = undefined;
  }
}
