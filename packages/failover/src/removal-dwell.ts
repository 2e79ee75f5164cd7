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
  readonly snapshot: ProviderSnapshot;
  /** The active provider is healthy. */
  readonly isCurrent: boolean;
  /** The decision is a failback to the active provider. */
  readonly isFailback: boolean;
  /** The snapshot in force until now. Absent when that snapshot was restored, because no restored member is kept. */
  readonly inForce: ProviderSnapshot | undefined;
  readonly now: number;
}

/** After this many dwell periods the new provider is trusted, even if it was rarely healthy. */
const MAX_DWELLS = 10;

/**
 * After a failover, keeps the members in force that the new provider does not list, until that provider has been active and healthy for
 * one dwell period in total. A standby that knows fewer members therefore removes none at the moment of the switch. Members that the new
 * provider adds take effect at once, and so do removals of members that it had listed itself. Ten dwell periods after the first switch
 * all kept members are removed in any case. A failback keeps none, because its target has already been healthy for one cooldown.
 *
 * Pure: `now` is in monotonic milliseconds.
 */
export class RemovalDwell {
  readonly #dwellMs: number;
  /** The last snapshot of the active provider. */
  #lastInput: ProviderSnapshot | undefined;
  /** The last snapshot that `pass` returned. */
  #lastOutput: ProviderSnapshot | undefined;
  readonly #retained = new Set<NodeId>();
  /** The ids of `#retained`, sorted; computed on demand. */
  #sorted: readonly NodeId[] | undefined;
  /** When all kept members are removed in any case. */
  #lapsesAt = 0;
  /** How long the new provider has been healthy in total, before `#provenSince`. */
  #provenMs = 0;
  /** Since when the new provider has been healthy; absent while it is not. */
  #provenSince: number | undefined;

  constructor(dwellMs: number) {
    this.#dwellMs = dwellMs;
  }

  /** Returns the snapshot of the active provider, with the kept members added. */
  pass({ snapshot, isCurrent, isFailback, inForce, now }: DwellInput): ProviderSnapshot {
    if (isFailback) this.#trust(snapshot);
    else if (snapshot !== this.#lastInput) this.#take(snapshot, now, inForce);
    if (!isCurrent) this.interrupt(now);
    else if (this.#retained.size > 0) this.#provenSince ??= now;
    if (this.#retained.size > 0 && now >= this.#endsAt) {
      this.#retain([]);
      this.#lastOutput = snapshot;
    }
    return this.#lastOutput ?? snapshot;
  }

  /** The active provider has no snapshot, or is not healthy. The dwell time stops. */
  interrupt(now: number): void {
    if (this.#provenSince === undefined) return;
    this.#provenMs += now - this.#provenSince;
    this.#provenSince = undefined;
  }

  get hold(): Hold | undefined {
    const nodes = this.#retained.size;
    const snapshot = this.#lastInput;
    if (nodes === 0 || snapshot === undefined) return undefined;
    const { providerId } = snapshot;
    return {
      guard: "removal_dwell",
      providerId,
      nodes,
      endsAt: this.#endsAt,
      reason: `"${providerId}" took over and does not list ${nodes} of the members; they are removed once it has been healthy for ${this.#dwellMs} ms`,
    };
  }

  get #endsAt(): number {
    const since = this.#provenSince;
    if (since === undefined) return this.#lapsesAt;
    return Math.min(since + this.#dwellMs - this.#provenMs, this.#lapsesAt);
  }

  #trust(snapshot: ProviderSnapshot): void {
    this.#lastInput = snapshot;
    this.#lastOutput = snapshot;
    this.#retain([]);
    this.#provenMs = 0;
    this.#provenSince = undefined;
  }

  #take(snapshot: ProviderSnapshot, now: number, inForce: ProviderSnapshot | undefined): void {
    const before = this.#lastInput;
    this.#lastInput = snapshot;
    if (before === undefined || this.#dwellMs === 0) {
      this.#lastOutput = snapshot;
    } else if (before.providerId === snapshot.providerId) {
      this.#lastOutput = this.#follow(before, snapshot, this.#lastOutput ?? before);
    } else {
      this.#lastOutput = this.#takeOver(snapshot, inForce ?? snapshot, now);
    }
  }

  #takeOver(snapshot: ProviderSnapshot, inForce: ProviderSnapshot, now: number): ProviderSnapshot {
    if (this.#retained.size === 0) this.#lapsesAt = now + MAX_DWELLS * this.#dwellMs;
    const { added, updated, removed } = diffMembers(inForce.members, snapshot.members);
    this.#retain(removed);
    this.#provenMs = 0;
    this.#provenSince = undefined;
    // Built from the members in force, so that both sets share structure.
    const upsert = [...added, ...updated.map(({ after }) => after)];
    return this.#withRetained(snapshot, inForce.members.apply({ upsert }));
  }

  /** Cost is proportional to the change. */
  #follow(before: ProviderSnapshot, snapshot: ProviderSnapshot, output: ProviderSnapshot): ProviderSnapshot {
    if (this.#retained.size === 0) return snapshot;
    const { added, updated, removed } = diffMembers(before.members, snapshot.members);
    for (const { id } of added) if (this.#retained.delete(id)) this.#sorted = undefined;
    const members = output.members.apply({
      upsert: [...added, ...updated.map(({ after }) => after)],
      remove: removed.map(({ id }) => id),
    });
    return this.#withRetained(snapshot, members);
  }

  #withRetained(snapshot: ProviderSnapshot, members: ProviderSnapshot["members"]): ProviderSnapshot {
    if (this.#retained.size === 0) return snapshot;
    this.#sorted ??= [...this.#retained].sort();
    const retained =
      snapshot.retained === undefined ? this.#sorted : [...snapshot.retained, ...this.#sorted].sort();
    return createSnapshot({ ...snapshot, members, retained });
  }

  #retain(nodes: readonly ClusterNode[]): void {
    this.#retained.clear();
    for (const { id } of nodes) this.#retained.add(id);
    this.#sorted = undefined;
  }
}
