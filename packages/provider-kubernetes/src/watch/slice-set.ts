import { ProvisioningError, type ClusterNode, type NodeId, type SkippedEntries } from "@holdfast/core";
import { MAX_MEMBERS, SkipTally } from "@holdfast/core/adapter";
import { isTerminating, type SliceContent } from "../wire/slice-content.ts";

/** What a change of slices does to the members. */
export interface SliceChange {
  readonly upsert: readonly ClusterNode[];
  readonly remove: readonly NodeId[];
  /** Those of `remove` that no slice lists any more, ready or not, with the key of their endpoint. */
  readonly vanished: ReadonlyMap<NodeId, string>;
  /** The keys that the slices which were put list, ready or not. */
  readonly listed: { has(key: string): boolean };
}

export interface SliceSetOptions {
  /** Without a chosen port, an endpoint that slices list with several ports is ambiguous. */
  readonly isPortChosen: boolean;
}

const AMBIGUOUS = "its slices have several ports and none is asked for";
const FOLDED = "another slice has another number for the port that is asked for";
const NO_NODES: readonly ClusterNode[] = Object.freeze([]);

/**
 * The members of many EndpointSlices together, kept slice by slice: a changed slice costs its own endpoints. An endpoint is known by
 * its key: the pod, the host name, or the address. A key that is in several slices (while an endpoint moves between them, or for a pod
 * with two addresses) is one member: of those that do not terminate, of IPv4, of the slice whose key sorts first, in this order. Where
 * a key has several addresses after that, it names none of them: each address is a member of its own, `ADDRESS:PORT`.
 */
export class SliceSet {
  readonly #isPortChosen: boolean;
  readonly #slices = new Map<string, SliceContent>();
  /** Where each key is: the name of its slice, or the names where it is in several. */
  readonly #places = new Map<string, string | readonly string[]>();
  /** Which keys have a member of an id that is not the key. */
  readonly #claims = new Map<NodeId, string | readonly string[]>();
  /** How many slices list a key that is not ready. */
  readonly #unready = new Map<string, number>();
  readonly #ambiguous = new Set<string>();
  /** Keys that slices list with several numbers of the chosen port, of which one is used. */
  readonly #folded = new Set<string>();
  readonly #renamed = new WeakMap<ClusterNode, ClusterNode>();
  #skipped = 0;
  #trimmed = 0;
  /** Slices, and what is in them. */
  #size = 0;

  constructor({ isPortChosen }: SliceSetOptions = { isPortChosen: false }) {
    this.#isPortChosen = isPortChosen;
  }

  get keys(): Iterable<string> {
    return this.#slices.keys();
  }

  /**
   * Puts slices in the place of those with the same key, takes others out, and returns what that does to the members. Throws
   * `STREAM_INVALID_DATA` when there are more than `MAX_MEMBERS` slices and endpoints.
   */
  apply(put: readonly SliceContent[], removed: Iterable<string>): SliceChange {
    const before = new Map<string, readonly ClusterNode[]>();
    for (const key of removed) this.#take(key, before);
    for (const slice of put) {
      this.#take(slice.key, before);
      this.#put(slice, before);
    }
    const touched = new Map<NodeId, string>();
    for (const [key, nodes] of before) {
      for (const { id } of nodes) {
        touched.set(id, key);
        if (id !== key) removeFrom(this.#claims, id, key);
      }
    }
    for (const key of before.keys()) {
      this.#ambiguous.delete(key);
      this.#folded.delete(key);
      for (const { id } of this.#resolve(key)) {
        touched.set(id, key);
        if (id !== key) addTo(this.#claims, id, key);
      }
    }
    const upsert: ClusterNode[] = [];
    const remove: NodeId[] = [];
    const vanished = new Map<NodeId, string>();
    for (const [id, key] of touched) {
      const node = this.get(id);
      if (node !== undefined) upsert.push(node);
      else {
        remove.push(id);
        const isGone = !this.#places.has(key) && !this.#unready.has(key);
        if (isGone || this.#ambiguous.has(key)) vanished.set(id, key);
      }
    }
    const isListed = (key: string) =>
      put.some((slice) => slice.nodes.has(key) || slice.unready?.has(key) === true);
    return { upsert, remove, vanished, listed: { has: isListed } };
  }

  /** The members, in no order. */
  *nodes(): Generator<ClusterNode> {
    for (const key of this.#places.keys()) {
      for (const node of this.#resolve(key)) if (this.get(node.id) === node) yield node;
    }
  }

  get(id: NodeId): ClusterNode | undefined {
    const own = this.#resolve(id).find((node) => node.id === id);
    if (own !== undefined) return own;
    const claims = this.#claims.get(id);
    if (claims === undefined) return undefined;
    const [first] = typeof claims === "string" ? [claims] : claims.toSorted();
    return this.#resolve(first!).find((node) => node.id === id);
  }

  /** What was left out of all slices; undefined when nothing was. */
  get skipped(): SkippedEntries | undefined {
    if (this.#skipped === 0 && this.#ambiguous.size === 0 && this.#folded.size === 0) return undefined;
    const tally = new SkipTally();
    for (const slice of this.#slices.values()) for (const reason of slice.skipped) tally.skip(reason);
    for (const _ of this.#ambiguous) tally.skip(AMBIGUOUS);
    for (const _ of this.#folded) tally.skip(FOLDED);
    return tally.toSkipped();
  }

  /** What was cut from members; undefined when nothing was. */
  get trimmed(): SkippedEntries | undefined {
    if (this.#trimmed === 0) return undefined;
    const tally = new SkipTally();
    for (const slice of this.#slices.values()) for (const reason of slice.trimmed ?? []) tally.skip(reason);
    return tally.toSkipped();
  }

  /** The members of a key: none, one, or one for each of its addresses. */
  #resolve(key: string): readonly ClusterNode[] {
    const place = this.#places.get(key);
    if (place === undefined) return NO_NODES;
    if (typeof place === "string") {
      const slice = this.#slices.get(place)!;
      if (slice.more === undefined) return [slice.nodes.get(key)!];
    }
    const candidates: Candidate[] = [];
    for (const name of typeof place === "string" ? [place] : place) {
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
      else if (this.#isPortChosen) this.#folded.add(key);
      else {
        this.#ambiguous.add(key);
        return NO_NODES;
      }
    }
    if (byHost.size === 1) return [best!.node];
    return [...byHost.values()].map((node) => this.#byAddress(node));
  }

  /** The same object each time, as it is compared by identity. */
  #byAddress(node: ClusterNode): ClusterNode {
    const known = this.#renamed.get(node);
    if (known !== undefined) return known;
    const id = `${node.host}:${node.port}`;
    const renamed = node.id === id ? node : { ...node, id };
    this.#renamed.set(node, renamed);
    return renamed;
  }

  #put(slice: SliceContent, before: Map<string, readonly ClusterNode[]>): void {
    this.#size += sizeOf(slice);
    if (this.#size > MAX_MEMBERS) throw tooMany();
    for (const key of slice.nodes.keys()) this.#keep(key, before);
    this.#slices.set(slice.key, slice);
    this.#skipped += slice.skipped.length;
    this.#trimmed += slice.trimmed?.length ?? 0;
    for (const key of slice.nodes.keys()) addTo(this.#places, key, slice.key);
    for (const key of slice.unready ?? []) this.#unready.set(key, (this.#unready.get(key) ?? 0) + 1);
  }

  #take(name: string, before: Map<string, readonly ClusterNode[]>): void {
    const slice = this.#slices.get(name);
    if (slice === undefined) return;
    for (const key of slice.nodes.keys()) this.#keep(key, before);
    this.#slices.delete(name);
    this.#skipped -= slice.skipped.length;
    this.#trimmed -= slice.trimmed?.length ?? 0;
    this.#size -= sizeOf(slice);
    for (const key of slice.nodes.keys()) removeFrom(this.#places, key, name);
    for (const key of slice.unready ?? []) {
      const count = this.#unready.get(key)! - 1;
      if (count === 0) this.#unready.delete(key);
      else this.#unready.set(key, count);
    }
  }

  /** Notes the members of a key before it changes. */
  #keep(key: string, before: Map<string, readonly ClusterNode[]>): void {
    if (!before.has(key)) before.set(key, this.#resolve(key));
  }
}

/** A map of lists that takes no list where there is one value: most often. */
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
    `the cluster shows more than ${MAX_MEMBERS} slices and endpoints`,
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
