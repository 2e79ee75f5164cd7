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
  /** Members with descriptive fields that exceed a limit and were shortened or left out. */
  readonly trimmed: SkippedEntries | undefined;
}

/**
 * Converts the bodies of health responses to members. Consul sends the complete service after every change; only the
 * entries that differ from the last body are parsed. Do not use an instance again after `read` has failed.
 */
export class HealthBody {
  readonly #reader: HealthEntryReader;
  readonly #clock: Clock;
  readonly #entries: IncrementalJsonArray<EntryOutcome>;
  #members: MemberSet = MemberSet.empty;
  /**
   * True when two entries have the same id. When the first of them is removed, all entries must be searched for the
   * next one.
   */
  #hasDuplicates = false;

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

  /** True when the last body has no entries, not even unhealthy ones. */
  get isEmpty(): boolean {
    return this.#entries.values.length === 0;
  }

  /**
   * Returns "same" for a body that is byte for byte equal to the last one. Throws `STREAM_INVALID_DATA` when the body
   * is not a JSON array, has more than `maxMembers` entries, or when none of its healthy entries could be read.
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
    let hasDuplicates = this.#hasDuplicates;
    for (const outcome of entries) {
      const node = nodeOf(outcome);
      if (node === undefined) continue;
      hasDuplicates ||= upsert.has(node.id) || (this.#members.has(node.id) && !remove.has(node.id));
      upsert.set(node.id, node);
    }
    const slices = { clock: this.#clock, signal };
    if (hasDuplicates) {
      const first = firstForEachId(this.#entries.values);
      this.#hasDuplicates = first.size < idsOf(this.#entries.values).length;
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
    const trims = new SkipTally();
    const outcomes = this.#entries.values;
    for (const outcome of outcomes) {
      if (typeof outcome === "string") continue;
      if ("skipped" in outcome) skips.skip(outcome.skipped);
      else if ("trimmed" in outcome) trims.skip(outcome.trimmed);
    }
    if (this.#hasDuplicates) this.#skipDuplicates(skips);
    const skipped = skips.toSkipped();
    if (skipped === undefined || this.#members.size > 0) return { skipped, trimmed: trims.toSkipped() };
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `none of the ${skipped.count} instances could be read: ${skipped.reasons.join("; ")}`,
      { details: { skipped } },
    );
  }

  /** Counts the instances that have the id of an earlier instance. */
  #skipDuplicates(skips: SkipTally): void {
    const shown = new Set<NodeId>();
    for (const node of nodesOf(this.#entries.values)) {
      const first = this.#members.get(node.id);
      if (!shown.has(node.id)) shown.add(node.id);
      else if (first?.host === node.host && first.port === node.port)
        skips.skip("another instance has the same id and the same address");
      else skips.skip("another instance has the same id and a different address (see nodeId)");
    }
  }
}

function nodesOf(outcomes: readonly EntryOutcome[]): readonly ClusterNode[] {
  return outcomes.map(nodeOf).filter((node) => node !== undefined);
}

function idsOf(outcomes: readonly EntryOutcome[]): readonly NodeId[] {
  return nodesOf(outcomes).map(({ id }) => id);
}

/** Returns the first entry for each id. */
function firstForEachId(outcomes: readonly EntryOutcome[]): ReadonlyMap<NodeId, ClusterNode> {
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
