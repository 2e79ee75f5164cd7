import {
  MemberSet,
  ProvisioningError,
  type ClusterNode,
  type Clock,
  type NodeId,
  type SkippedEntries,
} from "@holdfast/core";
import { MAX_MEMBERS, SkipTally } from "@holdfast/core/adapter";
import type { ConsulSettings } from "../consul-params.ts";
import { IncrementalJsonArray, type JsonArrayChange } from "../incremental-json/incremental-json-array.ts";
import { HealthEntryReader, nodeOf, type EntryOutcome } from "./health-entry-reader.ts";

export interface HealthContent {
  readonly members: MemberSet;
  readonly skipped: SkippedEntries | undefined;
  /** Members of which something descriptive exceeds a limit and was cut. */
  readonly trimmed: SkippedEntries | undefined;
}

/**
 * Turns bodies of health responses into members. Consul sends the whole service again for every change; only the entries that differ
 * from the last body are parsed. Not to be used again after `read` has failed.
 */
export class HealthBody {
  readonly #reader: HealthEntryReader;
  readonly #clock: Clock;
  readonly #entries: IncrementalJsonArray<EntryOutcome>;
  #members: MemberSet = MemberSet.empty;
  /** Two entries have the same id: when the first goes, the next one has to be searched for in all entries. */
  #hasTwins = false;

  constructor(params: ConsulSettings, clock: Clock, maxMembers: number = MAX_MEMBERS) {
    this.#reader = new HealthEntryReader(params);
    this.#clock = clock;
    this.#entries = new IncrementalJsonArray({
      maxEntries: maxMembers,
      clock,
      toNotAnArray,
      toTooMany: () => toTooMany(maxMembers),
    });
  }

  /** The last body has no entries at all, not even unhealthy ones. */
  get isEmpty(): boolean {
    return this.#entries.values.length === 0;
  }

  /**
   * "same" for a body that is the last one, byte for byte. Throws `STREAM_INVALID_DATA` when it is not a JSON array, has more than
   * `maxMembers` entries, or has entries to read of which not one could be read.
   */
  async read(bytes: Buffer, signal: AbortSignal): Promise<HealthContent | "same"> {
    const find = this.#members.finder();
    const change = await this.#entries.update(bytes, (entry) => this.#reader.read(entry, find), signal);
    if (change === "same") return "same";
    await this.#merge(change, signal);
    return { members: this.#members, ...this.#count() };
  }

  async #merge({ gone, entries }: JsonArrayChange<EntryOutcome>, signal: AbortSignal): Promise<void> {
    const remove = new Set(idsOf(gone));
    const upsert = new Map<NodeId, ClusterNode>();
    let hasTwins = this.#hasTwins;
    for (const outcome of entries) {
      const node = nodeOf(outcome);
      if (node === undefined) continue;
      hasTwins ||= upsert.has(node.id) || (this.#members.has(node.id) && !remove.has(node.id));
      upsert.set(node.id, node);
    }
    const slices = { clock: this.#clock, signal };
    if (hasTwins) {
      const first = firstOfEach(this.#entries.values);
      this.#hasTwins = first.size < idsOf(this.#entries.values).length;
      this.#members = await this.#members.replaceSliced(first.values(), slices);
    } else if (entries.length === this.#entries.values.length) {
      this.#members = await this.#members.replaceSliced(upsert.values(), slices);
    } else {
      for (const id of upsert.keys()) remove.delete(id);
      this.#members = this.#members.apply({ upsert: upsert.values(), remove });
    }
  }

  #count(): Omit<HealthContent, "members"> {
    const skips = new SkipTally();
    const cuts = new SkipTally();
    const outcomes = this.#entries.values;
    for (const outcome of outcomes) {
      if (typeof outcome === "string") continue;
      if ("skipped" in outcome) skips.skip(outcome.skipped);
      else if ("trimmed" in outcome) cuts.skip(outcome.trimmed);
    }
    if (this.#hasTwins) this.#skipTwins(skips);
    const skipped = skips.toSkipped();
    if (skipped === undefined || this.#members.size > 0) return { skipped, trimmed: cuts.toSkipped() };
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `none of the ${skipped.count} instances could be read: ${skipped.reasons.join("; ")}`,
      { details: { skipped } },
    );
  }

  /** Counts all but the first of the instances that share an id. */
  #skipTwins(skips: SkipTally): void {
    const shown = new Set<NodeId>();
    for (const node of nodesOf(this.#entries.values)) {
      const first = this.#members.get(node.id);
      if (!shown.has(node.id)) shown.add(node.id);
      else if (first?.host === node.host && first.port === node.port)
        skips.skip("another instance has the same id and the same address");
      else skips.skip("another instance has the same id and another address: see nodeId");
    }
  }
}

function nodesOf(outcomes: readonly EntryOutcome[]): readonly ClusterNode[] {
  return outcomes.map(nodeOf).filter((node) => node !== undefined);
}

function idsOf(outcomes: readonly EntryOutcome[]): readonly NodeId[] {
  return nodesOf(outcomes).map(({ id }) => id);
}

/** Of entries with the same id the first counts. */
function firstOfEach(outcomes: readonly EntryOutcome[]): ReadonlyMap<NodeId, ClusterNode> {
  const first = new Map<NodeId, ClusterNode>();
  for (const node of nodesOf(outcomes)) if (!first.has(node.id)) first.set(node.id, node);
  return first;
}

function toTooMany(maxMembers: number): ProvisioningError {
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the response from Consul has more than ${maxMembers} instances`,
    { details: { maxMembers } },
  );
}

function toNotAnArray(bytes: number): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", "the response from Consul is not a JSON array", {
    details: { bytes },
  });
}
