import {
  createSnapshot,
  diffMembers,
  type ClusterNode,
  type NodeId,
  type ProviderSnapshot,
} from "@holdfast/core";
import type { Hold } from "./hold.ts";

export interface DwellInput {
  /** The snapshot of the active provider. */
  readonly answer: ProviderSnapshot;
  /** The active provider is healthy. */
  readonly isCurrent: boolean;
  /** The switch to the active provider has just happened, and is a failback. */
  readonly isFailback: boolean;
  /** What was shown last; absent when it was restored, as no restored member is kept. */
  readonly shown: ProviderSnapshot | undefined;
  readonly now: number;
}

/** Upper bound: after this many dwell periods the new provider is trusted even if it was rarely healthy. */
const MOST_DWELLS = 10;

/**
 * After a failover, keeps the members that were shown and that the new provider does not list, until that provider has been
 * active and healthy for a whole dwell: a standby that knows less removes no member at the moment of the switch. Members that it
 * adds count at once, and so do members that it listed itself and then removes. Ten dwells after the first switch no member is
 * kept any more. A failback keeps none: its target has already been healthy for a whole cooldown.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class RemovalDwell {
  readonly #dwellMs: number;
  #answer: ProviderSnapshot | undefined;
  #shown: ProviderSnapshot | undefined;
  readonly #retained = new Set<NodeId>();
  /** The same ids, sorted; computed when needed after a change. */
  #sorted: readonly NodeId[] | undefined;
  #lapsesAt = 0;
  /** How long the new provider has been healthy, up to `#provenSince`. */
  #provenMs = 0;
  #provenSince: number | undefined;

  constructor(dwellMs: number) {
    this.#dwellMs = dwellMs;
  }

  /** Returns what to show for the snapshot of the active provider. */
  pass({ answer, isCurrent, isFailback, shown, now }: DwellInput): ProviderSnapshot {
    if (isFailback) this.#trust(answer);
    else if (answer !== this.#answer) this.#take(answer, now, shown);
    if (!isCurrent) this.interrupt(now);
    else if (this.#retained.size > 0) this.#provenSince ??= now;
    if (this.#retained.size > 0 && now >= this.#endsAt) {
      this.#retain([]);
      this.#shown = answer;
    }
    return this.#shown ?? answer;
  }

  /** The active provider has no snapshot at the moment, or is not healthy. */
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
      reason: `"${providerId}" took over and does not list ${nodes} of the members; they leave once it has been healthy for ${this.#dwellMs} ms`,
    };
  }

  get #endsAt(): number {
    const since = this.#provenSince;
    if (since === undefined) return this.#lapsesAt;
    return Math.min(since + this.#dwellMs - this.#provenMs, this.#lapsesAt);
  }

  #trust(answer: ProviderSnapshot): void {
    this.#answer = answer;
    this.#shown = answer;
    this.#retain([]);
    this.#provenMs = 0;
    this.#provenSince = undefined;
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
    // Built on the members shown before, so that both share structure.
    const upsert = [...added, ...updated.map(({ after }) => after)];
    return this.#withRetained(answer, shown.members.apply({ upsert }));
  }

  /** Cost is proportional to the change. */
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
