import {
  createSnapshot,
  diffMembers,
  type ClusterNode,
  type NodeId,
  type ProviderSnapshot,
} from "@holdfast/core";
import type { Hold } from "./hold.ts";

/** Whoever took over is believed after so many dwells, however rarely it was healthy. */
const MOST_DWELLS = 10;

/**
 * Keeps, after a switch, the members that were shown and that the new provider does not list, until it has been active and
 * healthy for a whole dwell: a stand-by that knows less evicts nobody at the moment of the switch, nor does the next one.
 * What the new one adds counts at once, and so does what it listed itself and then takes back. Ten dwells after the first
 * switch nobody is kept any more.
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
  #lapsesAt = 0;
  /** How long the new provider has been healthy, up to `#provenSince`. */
  #provenMs = 0;
  #provenSince: number | undefined;

  constructor(dwellMs: number) {
    this.#dwellMs = dwellMs;
  }

  /**
   * What to show for the active provider's answer. `isProven`: it is healthy and current. `shown`: what was shown last, which is
   * not what was given last where another guard held that; absent where nothing was that may be kept.
   */
  pass(
    answer: ProviderSnapshot,
    isProven: boolean,
    now: number,
    shown: ProviderSnapshot | undefined,
  ): ProviderSnapshot {
    if (answer !== this.#answer) this.#take(answer, now, shown);
    if (!isProven) this.interrupt(now);
    else if (this.#retained.size > 0) this.#provenSince ??= now;
    if (this.#retained.size > 0 && now >= this.#endsAt) {
      this.#retain([]);
      this.#shown = answer;
    }
    return this.#shown ?? answer;
  }

  /** The active provider has no answer at the moment, or is not healthy. */
  interrupt(now: number): void {
    if (this.#provenSince === undefined) return;
    this.#provenMs += now - this.#provenSince;
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
    const since = this.#provenSince;
    if (since === undefined) return this.#lapsesAt;
    return Math.min(since + this.#dwellMs - this.#provenMs, this.#lapsesAt);
  }

  #take(answer: ProviderSnapshot, now: number, shown: ProviderSnapshot | undefined): void {
    const before = this.#answer;
    this.#answer = answer;
    if (before === undefined || this.#dwellMs === 0) {
      this.#shown = answer;
    } else if (before.providerId === answer.providerId) {
      this.#shown = this.#follow(before, answer, this.#shown ?? before);
    } else {
      this.#shown = this.#takeOver(answer, shown ?? answer, now);
    }
  }

  #takeOver(answer: ProviderSnapshot, shown: ProviderSnapshot, now: number): ProviderSnapshot {
    if (this.#retained.size === 0) this.#lapsesAt = now + MOST_DWELLS * this.#dwellMs;
    const { added, updated, removed } = diffMembers(shown.members, answer.members);
    this.#retain(removed);
    this.#provenMs = 0;
    this.#provenSince = undefined;
    // On top of what was shown, so that it shares structure with that.
    const upsert = [...added, ...updated.map(({ after }) => after)];
    return this.#withRetained(answer, shown.members.apply({ upsert }));
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
