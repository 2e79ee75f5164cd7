import type { Clock, ClusterNode, MemberDelta, NodeId, Random } from "@holdfast/core";
import type { CallOutcome } from "../call-report.ts";
import type { Endpoint } from "../endpoint.ts";
import { CallRecord } from "./call-record.ts";
import { findFailureCause, findSlow, type EjectionCause } from "./ejection-cause.ts";
import type { EjectionSettings } from "./ejection-options.ts";
import { eject, maxEjected, probe, succeed, type EjectionPhase } from "./ejection-phase.ts";

export interface EjectionsOptions {
  /** Absent: no member is ejected. */
  readonly settings?: EjectionSettings | undefined;
  readonly clock: Pick<Clock, "monotonic">;
  readonly random: Random;
}

const NONE: ReadonlyMap<NodeId, "ejected" | "probing"> = new Map();
const NO_WINDOW_MS = 1_000;

/**
 * Knows the calls of this client to each member, and decides which members are ejected. Times are monotonic milliseconds.
 * It has no timer: `advance` has to be called at `nextAt`.
 */
export class Ejections {
  readonly #settings: EjectionSettings | undefined;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #random: Random;
  readonly #records = new Map<NodeId, CallRecord>();
  #targets: readonly CallRecord[] = [];
  #endpoints: readonly Endpoint[] = [];
  #outs = NONE;
  /** How many members the limit counts, apart from ejected ones that are not among them. */
  #subset: readonly ClusterNode[] = [];
  #nextSweepAt = 0;

  constructor({ settings, clock, random }: EjectionsOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  /** Members that fail; another map whenever it changes. */
  get outs(): ReadonlyMap<NodeId, "ejected" | "probing"> {
    return this.#outs;
  }

  /** When the next ejection ends. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const id of this.#outs.keys()) {
      const phase = this.#records.get(id)!.phase;
      if (phase.kind === "out" && !(phase.until >= (next ?? Infinity))) next = phase.until;
    }
    return next;
  }

  phaseOf(id: NodeId): EjectionPhase | undefined {
    return this.#records.get(id)?.phase;
  }

  /** The record of a member that was an endpoint at some time. */
  recordOf(id: NodeId): CallRecord | undefined {
    return this.#records.get(id);
  }

  /** The record of a member, created for an endpoint; `undefined` for any other node. */
  recordFor(id: NodeId, endpoints: readonly Endpoint[]): CallRecord | undefined {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const endpoint = endpoints[lowerBound(endpoints, id, ({ node }) => node.id)];
    return endpoint?.node.id === id ? this.#recordOf(endpoint) : undefined;
  }

  ejectedIds(): readonly NodeId[] {
    return this.#ejected().map(idOf);
  }

  /** One record for each endpoint, in the same order. The same array for the same endpoints. */
  targets(endpoints: readonly Endpoint[]): readonly CallRecord[] {
    if (endpoints === this.#endpoints) return this.#targets;
    const before = this.#targets;
    let b = 0;
    this.#targets = endpoints.map((endpoint) => {
      const { id } = endpoint.node;
      while (b < before.length && before[b]!.endpoint.node.id < id) b++;
      const known = before[b];
      const record = known?.endpoint.node.id === id && !known.isGone ? known : this.#recordOf(endpoint);
      record.endpoint = endpoint;
      return record;
    });
    this.#endpoints = endpoints;
    return this.#targets;
  }

  /** Forgets members that have left, and those with another address, which are other processes. */
  forget({ removed, updated }: MemberDelta): void {
    for (const { id } of removed) this.#drop(id);
    for (const { before, after } of updated) {
      if (before.host !== after.host || before.port !== after.port) this.#drop(after.id);
    }
    if ([...this.#outs.keys()].some((id) => !this.#records.has(id))) this.#updateOuts();
  }

  /** Begins to probe the members whose time is over. Returns true if there was one. */
  advance(now: number): boolean {
    let isChanged = false;
    for (const id of this.#outs.keys()) {
      const record = this.#records.get(id)!;
      if (record.phase.kind !== "out" || record.phase.until > now) continue;
      record.enter(probe(record.phase, now));
      isChanged = true;
    }
    if (isChanged) this.#updateOuts();
    return isChanged;
  }

  /**
   * Sets the members that the limit counts. If more are ejected than allowed, those whose time ends first are probed
   * now. Returns true if there was one.
   */
  limitTo(subset: readonly ClusterNode[], now: number): boolean {
    if (subset === this.#subset) return false;
    this.#subset = subset;
    const excess = this.#ejected().length - this.#limit();
    if (excess <= 0) return false;
    const first = this.#ejected().sort((a, b) => untilOf(a) - untilOf(b) || (idOf(a) < idOf(b) ? -1 : 1));
    for (const record of first.slice(0, excess)) {
      if (record.phase.kind === "out") record.enter(probe(record.phase, now));
    }
    this.#updateOuts();
    return true;
  }

  /** Counts a call as in flight. */
  begin(record: CallRecord): void {
    record.inFlight++;
    if (record.phase.kind !== "probing") return;
    record.probes++;
    record.probedAt = this.#clock.monotonic();
  }

  /**
   * Whether a new call may go to the member: one that is probed gets only a few at once. A probe that takes longer than an
   * ejection, such as a stream, does not hold up further ones.
   */
  isFree(record: CallRecord): boolean {
    if (record.phase.kind !== "probing") return true;
    const { probeCalls, ejectMs } = this.#settings!;
    return record.probes < probeCalls || this.#clock.monotonic() - record.probedAt >= ejectMs;
  }

  /** Takes the outcome of a call that began in the current round of the member. Returns true if `outs` changed. */
  finish(record: CallRecord, outcome: CallOutcome, latencyMs: number | undefined, now: number): boolean {
    const settings = this.#settings;
    if (settings === undefined || outcome === "cancelled") return false;
    const isFailure = outcome === "failure";
    record.consecutiveFailures = isFailure ? record.consecutiveFailures + 1 : 0;
    const { phase } = record;
    if (phase.kind === "out") return false;
    if (phase.kind === "probing" && isFailure) {
      return this.#eject(record, { rule: "probe_failed", text: "a call that probed it failed" }, now);
    }
    record.window.add(now, isFailure, latencyMs);
    if (!isFailure) {
      const next = succeed(phase, now, settings);
      if (next.kind !== phase.kind) {
        record.enter(next);
        this.#updateOuts();
        return true;
      }
      record.phase = next;
      return this.#sweep(now);
    }
    const counts = settings.failureShare === undefined ? NO_COUNTS : record.window.read(now);
    const cause = findFailureCause(record.consecutiveFailures, counts, settings);
    return cause === undefined ? false : this.#eject(record, cause, now);
  }

  /** Compares latencies, at most once in each fifth of the window. */
  #sweep(now: number): boolean {
    const settings = this.#settings!;
    if (settings.latency === undefined || now < this.#nextSweepAt) return false;
    this.#nextSweepAt = now + settings.windowMs / 5;
    const samples = this.#targets
      .filter(({ phase }) => phase.kind === "in")
      .map((record) => ({ record, ...record.window.read(now) }));
    let isChanged = false;
    for (const [{ record }, cause] of findSlow(samples, settings.latency)) {
      isChanged = this.#eject(record, cause, now) || isChanged;
    }
    return isChanged;
  }

  #eject(record: CallRecord, cause: EjectionCause, now: number): boolean {
    // A member that is probed was ejected before, and its place may have been taken since.
    if (this.#ejected().length >= this.#limit()) return false;
    record.enter(eject(record.phase, cause, now, this.#settings!, this.#random));
    this.#updateOuts();
    return true;
  }

  #ejected(): CallRecord[] {
    return [...this.#outs.keys()]
      .map((id) => this.#records.get(id)!)
      .filter(({ phase }) => phase.kind === "out");
  }

  #limit(): number {
    const others = this.#ejected().filter((record) => !includesNode(this.#subset, idOf(record))).length;
    return maxEjected(this.#subset.length + others, this.#settings?.maxShare ?? 0);
  }

  #recordOf(endpoint: Endpoint): CallRecord {
    const known = this.#records.get(endpoint.node.id);
    if (known !== undefined) return known;
    const record = new CallRecord(endpoint, this.#settings?.windowMs ?? NO_WINDOW_MS);
    this.#records.set(endpoint.node.id, record);
    return record;
  }

  #drop(id: NodeId): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.isGone = true;
    this.#records.delete(id);
  }

  #updateOuts(): void {
    const outs = new Map<NodeId, "ejected" | "probing">();
    for (const [id, { phase }] of this.#records) {
      if (phase.kind !== "in") outs.set(id, phase.kind === "out" ? "ejected" : "probing");
    }
    this.#outs = outs;
  }
}

const NO_COUNTS = { calls: 0, failures: 0 };

function idOf({ endpoint }: CallRecord): NodeId {
  return endpoint.node.id;
}

function untilOf({ phase }: CallRecord): number {
  return phase.kind === "out" ? phase.until : 0;
}

function includesNode(nodes: readonly ClusterNode[], id: NodeId): boolean {
  return nodes[lowerBound(nodes, id, (node) => node.id)]?.id === id;
}

/** The index of the id in a list that is sorted by it, or where it would be. */
function lowerBound<T>(sorted: readonly T[], id: NodeId, toId: (item: T) => NodeId): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (toId(sorted[middle]!) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
