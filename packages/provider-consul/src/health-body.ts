import { isUtf8 } from "node:buffer";
import {
  MemberSet,
  ProvisioningError,
  throwIfAborted,
  type ClusterNode,
  type Clock,
  type NodeId,
  type SkippedEntries,
} from "@holdfast/core";
import { MAX_MEMBERS, parseJson, SkipTally } from "@holdfast/core/adapter";
import { commonPrefix, commonSuffix } from "./common-bytes.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { EntryTable, type Entry } from "./entry-table.ts";
import { HealthEntryReader, nodeOf, type EntryOutcome } from "./health-entry-reader.ts";
import { JsonArrayScanner } from "./json-array-scanner.ts";

export interface HealthContent {
  readonly members: MemberSet;
  readonly skipped: SkippedEntries | undefined;
  /** Members of which something descriptive exceeds a limit and was cut. */
  readonly trimmed: SkippedEntries | undefined;
}

/** What is new in a body: the entries that replace those from `from` to `to`. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly Entry[];
  /** By how many bytes the entries behind have moved. */
  readonly shift: number;
}

/** Entries between two turns of the event loop. */
const STEP = 512;

/**
 * Turns bodies of health responses into members. Consul sends the whole service again for every change. Only the part of a body that
 * differs from the last one is parsed, so that one changed instance of thousands does not cost a pass over all of their JSON. Keeps
 * the last body for that.
 */
export class HealthBody {
  readonly #reader: HealthEntryReader;
  readonly #clock: Clock;
  readonly #maxMembers: number;
  #bytes: Buffer | undefined;
  #table: EntryTable = EntryTable.empty;
  #members: MemberSet = MemberSet.empty;
  /** Two entries have the same id: when the first goes, the next one has to be searched for in all entries. */
  #hasTwins = false;

  constructor(params: ConsulProviderParams, clock: Clock, maxMembers: number = MAX_MEMBERS) {
    this.#maxMembers = maxMembers;
    this.#reader = new HealthEntryReader(params);
    this.#clock = clock;
  }

  /** The last body has no entries at all, not even unhealthy ones. */
  get isEmpty(): boolean {
    return this.#table.size === 0;
  }

  /**
   * "same" for a body that is the last one, byte for byte. Throws `STREAM_INVALID_DATA` when it is not a JSON array, has more than
   * `maxMembers` entries, or has entries to read of which not one could be read.
   */
  async read(bytes: Buffer, signal: AbortSignal): Promise<HealthContent | "same"> {
    const before = this.#bytes;
    if (before?.equals(bytes) === true) return "same";
    // JSON is UTF-8 (RFC 8259, section 8.1). Decoding other bytes would replace them silently.
    if (!isUtf8(bytes)) throw toNotAnArray(bytes);
    const change =
      (before !== undefined && (await this.#readDifference(before, bytes, signal))) ||
      (await this.#readAll(bytes, signal));
    const gone = this.#table.outcomes.slice(change.from, change.to);
    if (this.#table.size - gone.length + change.entries.length > this.#maxMembers)
      throw toTooMany(this.#maxMembers);
    this.#table = this.#table.splice(change.from, change.to, change.entries, change.shift);
    await this.#merge(gone, change, signal);
    this.#bytes = bytes;
    return { members: this.#members, ...this.#count() };
  }

  async #readAll(bytes: Buffer, signal: AbortSignal): Promise<Change> {
    const from = JsonArrayScanner.open(bytes);
    const scanner = new JsonArrayScanner(bytes, from, false);
    const entries = from < 0 ? [] : await this.#readEntries(bytes, scanner, bytes.length, signal);
    if (from < 0 || !scanner.isAtEnd) throw toNotAnArray(bytes);
    return { from: 0, to: this.#table.size, entries, shift: 0 };
  }

  /**
   * Reads what lies between the unchanged entries at the beginning and at the end. Returns undefined when the changed bytes do not
   * end where an element ends: then the unchanged bytes may mean something else.
   */
  async #readDifference(before: Buffer, bytes: Buffer, signal: AbortSignal): Promise<Change | undefined> {
    const table = this.#table;
    const prefix = commonPrefix(before, bytes);
    const suffix = commonSuffix(before, bytes, Math.min(before.length, bytes.length) - prefix);
    const shift = bytes.length - before.length;
    const from = table.countBefore(prefix);
    const to = Math.max(from, table.firstFrom(before.length - suffix));
    const isFirst = from === 0;
    const startAt = isFirst ? JsonArrayScanner.open(bytes) : table.endOf(from - 1);
    if (startAt < 0) return undefined;
    const endAt = to < table.size ? table.startOf(to) + shift : undefined;
    const scanner = new JsonArrayScanner(bytes, startAt, !isFirst);
    const entries = await this.#readEntries(bytes, scanner, endAt ?? bytes.length, signal);
    const fits = endAt === undefined ? scanner.isAtEnd : scanner.isBefore(endAt);
    return fits ? { from, to, entries, shift } : undefined;
  }

  async #readEntries(
    bytes: Buffer,
    scanner: JsonArrayScanner,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly Entry[]> {
    const find = this.#members.finder();
    const entries: Entry[] = [];
    for (let span = scanner.next(limit); span !== undefined; span = scanner.next(limit)) {
      const outcome = this.#reader.read(parse(bytes, span.start, span.end), find);
      entries.push({ ...span, outcome });
      if (entries.length > this.#maxMembers) throw toTooMany(this.#maxMembers);
      if (entries.length % STEP !== 0) continue;
      await this.#clock.yield();
      throwIfAborted(signal);
    }
    return entries;
  }

  async #merge(gone: readonly EntryOutcome[], { entries }: Change, signal: AbortSignal): Promise<void> {
    const remove = new Set(idsOf(gone));
    const upsert = new Map<NodeId, ClusterNode>();
    let hasTwins = this.#hasTwins;
    for (const { outcome } of entries) {
      const node = nodeOf(outcome);
      if (node === undefined) continue;
      hasTwins ||= upsert.has(node.id) || (this.#members.has(node.id) && !remove.has(node.id));
      upsert.set(node.id, node);
    }
    const slices = { clock: this.#clock, signal };
    if (hasTwins) {
      const first = firstOfEach(this.#table.outcomes);
      this.#hasTwins = first.size < idsOf(this.#table.outcomes).length;
      this.#members = await this.#members.replaceSliced(first.values(), slices);
    } else if (entries.length === this.#table.size) {
      this.#members = await this.#members.replaceSliced(upsert.values(), slices);
    } else {
      for (const id of upsert.keys()) remove.delete(id);
      this.#members = this.#members.apply({ upsert: upsert.values(), remove });
    }
  }

  #count(): Omit<HealthContent, "members"> {
    const skips = new SkipTally();
    const cuts = new SkipTally();
    const { outcomes } = this.#table;
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
    for (const node of nodesOf(this.#table.outcomes)) {
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

function parse(bytes: Buffer, start: number, end: number): unknown {
  const entry = parseJson(bytes.toString("utf8", start, end));
  if (entry === undefined) throw toNotAnArray(bytes);
  return entry;
}

function toTooMany(maxMembers: number): ProvisioningError {
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the response from Consul has more than ${maxMembers} instances`,
    { details: { maxMembers } },
  );
}

function toNotAnArray(bytes: Buffer): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", "the response from Consul is not a JSON array", {
    details: { bytes: bytes.length },
  });
}
