import { ProvisioningError, type ClusterNode, type NodeId, type SkippedEntries } from "@holdfast/core";
import { MAX_MEMBERS, SkipTally } from "@holdfast/core/adapter";
import { isTerminating, type SliceContent } from "../wire/slice-content.ts";

/** The effect of a change of slices on the members. */
export interface SliceChange {
  readonly upsert: readonly ClusterNode[];
  readonly remove: readonly NodeId[];
  /** The members in `remove` that no slice lists any more, ready or not, with the key of their endpoint. */
  readonly vanished: ReadonlyMap<NodeId, string>;
  /** The keys that the new slices list, ready or not. */
  readonly listed: { has(key: string): boolean };
}

export interface SliceSetOptions {
  /** If no port is selected, an endpoint that slices list with several ports is ambiguous. */
  readonly isPortChosen: boolean;
}

const AMBIGUOUS = "its slices have several ports and none is selected";
const PORT_CONFLICT = "another slice has another number for the selected port";
const NO_NODES: readonly ClusterNode[] = Object.freeze([]);

/**
 * The members of many EndpointSlices. They are stored by slice, so that a changed slice costs only its own endpoints.
 * An endpoint has a key: the pod, the hostname or the address. A key that is in several slices (while an endpoint moves
 * between them, or for a pod with two addresses) is one member. Its endpoint is selected in this order: one that is not
 * terminating, one with IPv4, one in the slice whose key sorts first. If a key still has several addresses, each
 * address is a separate member with the id `ADDRESS:PORT`.
 */
export class SliceSet {
  readonly #isPortChosen: boolean;
  readonly #slices = new Map<string, SliceContent>();
  /** For each endpoint key, the key of its slice, or the keys of its slices if there are several. */
  readonly #slicesOf = new Map<string, string | readonly string[]>();
  /** For each member id that differs from its endpoint key, the endpoint keys with such a member. */
  readonly #keysOf = new Map<NodeId, string | readonly string[]>();
  /** For each endpoint key that is not ready, the number of slices that list it. */
  readonly #unready = new Map<string, number>();
  readonly #ambiguous = new Set<string>();
  /** The keys that slices list with several numbers for the selected port. One of them is used. */
  readonly #portConflicts = new Set<string>();
  readonly #renamed = new WeakMap<ClusterNode, ClusterNode>();
  #skipped = 0;
  #trimmed = 0;
  /** The number of slices and endpoints. */
  #size = 0;

  constructor({ isPortChosen }: SliceSetOptions = { isPortChosen: false }) {
    this.#isPortChosen = isPortChosen;
  }

  get keys(): Iterable<string> {
    return this.#slices.keys();
  }

  /**
   * Replaces slices with the same key, removes others, and returns the effect on the members. Throws
   * `STREAM_INVALID_DATA` when there are more than `MAX_MEMBERS` slices and endpoints.
   */
  apply(put: readonly SliceContent[], removed: Iterable<string>): SliceChange {
    const before = new Map<string, readonly ClusterNode[]>();
    for (const key of removed) this.#removeSlice(key, before);
    for (const slice of put) {
      this.#removeSlice(slice.key, before);
      this.#putSlice(slice, before);
    }
    const changed = new Map<NodeId, string>();
    for (const [key, nodes] of before) {
      for (const { id } of nodes) {
        changed.set(id, key);
        if (id !== key) removeFrom(this.#keysOf, id, key);
      }
    }
    for (const key of before.keys()) {
      this.#ambiguous.delete(key);
      this.#portConflicts.delete(key);
      for (const { id } of this.#resolve(key)) {
        changed.set(id, key);
        if (id !== key) addTo(this.#keysOf, id, key);
      }
    }
    const upsert: ClusterNode[] = [];
    const remove: NodeId[] = [];
    const vanished = new Map<NodeId, string>();
    for (const [id, key] of changed) {
      const node = this.get(id);
      if (node !== undefined) upsert.push(node);
      else {
        remove.push(id);
        const isGone = !this.#slicesOf.has(key) && !this.#unready.has(key);
        if (isGone || this.#ambiguous.has(key)) vanished.set(id, key);
      }
    }
    const isListed = (key: string) =>
      put.some((slice) => slice.nodes.has(key) || slice.unready?.has(key) === true);
    return { upsert, remove, vanished, listed: { has: isListed } };
  }

  /** The members, in no particular order. */
  *nodes(): Generator<ClusterNode> {
    for (const key of this.#slicesOf.keys()) {
      for (const node of this.#resolve(key)) if (this.#keyWith(node.id) === key) yield node;
    }
  }

  get(id: NodeId): ClusterNode | undefined {
    const key = this.#keyWith(id);
    return key === undefined ? undefined : this.#resolve(key).find((node) => node.id === id);
  }

  /** The endpoints that were left out of all slices; undefined when there are none. */
  get skipped(): SkippedEntries | undefined {
    if (this.#skipped === 0 && this.#ambiguous.size === 0 && this.#portConflicts.size === 0) return undefined;
    const tally = new SkipTally();
    for (const slice of this.#slices.values()) for (const reason of slice.skipped) tally.skip(reason);
    for (const _ of this.#ambiguous) tally.skip(AMBIGUOUS);
    for (const _ of this.#portConflicts) tally.skip(PORT_CONFLICT);
    return tally.toSkipped();
  }

  /** The fields of members that were shortened; undefined when there are none. */
  get trimmed(): SkippedEntries | undefined {
    if (this.#trimmed === 0) return undefined;
    const tally = new SkipTally();
    for (const slice of this.#slices.values()) for (const reason of slice.trimmed ?? []) tally.skip(reason);
    return tally.toSkipped();
  }

  /** The endpoint key whose member has the id. Of several keys, the one that equals the id counts, or else the first one. */
  #keyWith(id: NodeId): string | undefined {
    if (this.#resolve(id).some((node) => node.id === id)) return id;
    const keys = this.#keysOf.get(id);
    if (keys === undefined || typeof keys === "string") return keys;
    return keys.toSorted()[0];
  }

  /** Returns the members of a key: none, one, or one for each of its addresses. */
  #resolve(key: string): readonly ClusterNode[] {
    const sliceKeys = this.#slicesOf.get(key);
    if (sliceKeys === undefined) return NO_NODES;
    if (typeof sliceKeys === "string") {
      const slice = this.#slices.get(sliceKeys)!;
      if (slice.more === undefined) return [slice.nodes.get(key)!];
    }
    const candidates: Candidate[] = [];
    for (const name of typeof sliceKeys === "string" ? [sliceKeys] : sliceKeys) {
      const slice = this.#slices.get(name)!;
      candidates.push({ slice, node: slice.nodes.get(key)! });
      for (const other of slice.more ?? [])
        if (other.key === key) candidates.push({ slice, node: other.node });
    }
    candidates.sort((a, b) => (isBetter(a, b) ? -1 : 1));
    const [best] = candidates;
    const byHost = new Map<string, ClusterNode>();
    for (const { slice, node } of candidates) {
      const isEqual =
        slice.isIpv6 === best!.slice.isIpv6 && isTerminating(node) === isTerminating(best!.node);
      if (!isEqual) continue;
      const other = byHost.get(node.host);
      if (other === undefined) byHost.set(node.host, node);
      else if (other.port === node.port) continue;
      else if (this.#isPortChosen) this.#portConflicts.add(key);
      else {
        this.#ambiguous.add(key);
        return NO_NODES;
      }
    }
    if (byHost.size === 1) return [best!.node];
    return [...byHost.values()].map((node) => this.#byAddress(node));
  }

  /** Returns the same object for each call, because members are compared by identity. */
  #byAddress(node: ClusterNode): ClusterNode {
    const known = this.#renamed.get(node);
    if (known !== undefined) return known;
    const id = `${node.host}:${node.port}`;
    const renamed = node.id === id ? node : { ...node, id };
    this.#renamed.set(node, renamed);
    return renamed;
  }

  #putSlice(slice: SliceContent, before: Map<string, readonly ClusterNode[]>): void {
    this.#size += sizeOf(slice);
    if (this.#size > MAX_MEMBERS) throw tooMany();
    for (const key of slice.nodes.keys()) this.#recordBefore(key, before);
    this.#slices.set(slice.key, slice);
    this.#skipped += slice.skipped.length;
    this.#trimmed += slice.trimmed?.length ?? 0;
    for (const key of slice.nodes.keys()) addTo(this.#slicesOf, key, slice.key);
    for (const key of slice.unready ?? []) this.#unready.set(key, (this.#unready.get(key) ?? 0) + 1);
  }

  #removeSlice(name: string, before: Map<string, readonly ClusterNode[]>): void {
    const slice = this.#slices.get(name);
    if (slice === undefined) return;
    for (const key of slice.nodes.keys()) this.#recordBefore(key, before);
    this.#slices.delete(name);
    this.#skipped -= slice.skipped.length;
    this.#trimmed -= slice.trimmed?.length ?? 0;
    this.#size -= sizeOf(slice);
    for (const key of slice.nodes.keys()) removeFrom(this.#slicesOf, key, name);
    for (const key of slice.unready ?? []) {
      const count = this.#unready.get(key)! - 1;
      if (count === 0) this.#unready.delete(key);
      else this.#unready.set(key, count);
    }
  }

  /** Records the members of a key before it changes. */
  #recordBefore(key: string, before: Map<string, readonly ClusterNode[]>): void {
    if (!before.has(key)) before.set(key, this.#resolve(key));
  }
}

/** Adds a value to a map of lists. A single value, which is the usual case, is stored without a list. */
function addTo(map: Map<string, string | readonly string[]>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, value);
  else map.set(key, typeof known === "string" ? [known, value] : [...known, value]);
}

function removeFrom(map: Map<string, string | readonly string[]>, key: string, value: string): void {
  const known = map.get(key);
  const rest = typeof known === "string" ? [] : (known ?? []).filter((each) => each !== value);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest.length === 1 ? rest[0]! : rest);
}

function sizeOf({ nodes, skipped, more }: SliceContent): number {
  return 1 + nodes.size + skipped.length + (more?.length ?? 0);
}

function tooMany(): ProvisioningError {
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the cluster has more than ${MAX_MEMBERS} slices and endpoints`,
    { details: { maxMembers: MAX_MEMBERS } },
  );
}

interface Candidate {
  readonly slice: SliceContent;
  readonly node: ClusterNode;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (isTerminating(a.node) !== isTerminating(b.node)) return isTerminating(b.node);
  if (a.slice.isIpv6 !== b.slice.isIpv6) return b.slice.isIpv6;
  if (a.slice.key !== b.slice.key) return a.slice.key < b.slice.key;
  return a.node.host < b.node.host;
}
