import {
  diffMembers,
  MemberSet,
  type MemberDelta,
  type ClusterNode,
  type NodeId,
  type ProviderSnapshot,
} from "@holdfast/core";
import { selectCandidates, type Candidates, type MembershipView } from "./candidates.ts";
import { selectEndpoints, type Selection } from "./select-endpoints.ts";
import { SubsetSelector } from "./select-subset.ts";
import { SlowStart, type SlowStartOptions } from "./slow-start.ts";
import { zoneOf } from "./zone-factors.ts";

export interface SelectorOptions {
  /** The client's zone. @defaultValue none */
  readonly zone?: string | undefined;
  readonly subset?: { readonly size: number; readonly clientId: string } | undefined;
  readonly slowStart?: SlowStartOptions | undefined;
  readonly panicShare: number;
}

export interface SelectorInput {
  /** Members that fail for this client; another map whenever it changes. */
  readonly outs: ReadonlyMap<NodeId, "ejected" | "probing">;
  /** The callers in each zone; another map whenever it changes. */
  readonly callers?: ReadonlyMap<string, number> | undefined;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** The result of all steps for one snapshot. */
export interface Selected extends Selection {
  readonly candidates: Candidates;
  readonly subset: readonly ClusterNode[];
  /** When the weights change without any other change, in monotonic milliseconds. */
  readonly nextStepAt: number | undefined;
}

const EMPTY: MembershipView = { members: MemberSet.empty, blockedNodes: [], retained: undefined };

/** Runs the steps of the selection, and repeats only those whose input has changed. */
export class Selector {
  readonly #options: SelectorOptions;
  readonly #subsets: SubsetSelector | undefined;
  readonly #slowStart: SlowStart | undefined;
  /** The members of the last snapshot. They share structure with the next one, so that comparing the two is cheap. */
  #seen = MemberSet.empty;
  /**
   * The same members, in which a node with equal content is always the same object: also when another provider reports it, or when a
   * daemon that is followed was restarted.
   */
  #view = EMPTY;
  #isViewNew = false;
  #last: { readonly input: SelectorInput; readonly selected: Selected } | undefined;

  constructor(options: SelectorOptions) {
    this.#options = options;
    const { subset, slowStart } = options;
    this.#subsets = subset && new SubsetSelector(subset.size, subset.clientId);
    this.#slowStart = slowStart && new SlowStart(slowStart);
  }

  /** Takes the membership of a snapshot. Returns its change, or `undefined` if no member joined, left or changed. */
  take({ members, blockedNodes, retained }: ProviderSnapshot, now: number): MemberDelta | undefined {
    const before = this.#view;
    const delta = members === this.#seen ? undefined : toChange(diffMembers(this.#seen, members));
    this.#seen = members;
    if (delta === undefined && isSameView(before, { blockedNodes, retained })) return undefined;
    this.#isViewNew = true;
    this.#view = { members: withChange(before.members, delta), blockedNodes, retained };
    // No member of the first ones is new in comparison to the others.
    if (delta !== undefined && before.members.size > 0) this.#slowStart?.apply(delta, now);
    return delta;
  }

  /** The selection from the membership that was taken last. */
  select(input: SelectorInput): Selected {
    const last = this.#last;
    const isNew = this.#isViewNew;
    this.#isViewNew = false;
    if (
      last !== undefined &&
      !isNew &&
      last.input.outs === input.outs &&
      last.input.callers === input.callers &&
      input.now < (last.selected.nextStepAt ?? Infinity)
    ) {
      return last.selected;
    }
    const kept = isNew ? undefined : last?.selected;
    const candidates = kept?.candidates ?? selectCandidates(this.#view, this.#options.panicShare);
    const subset = kept?.subset ?? this.#selectSubset(candidates);
    const selection = this.#selectEndpoints(candidates, subset, input);
    const selected = { ...selection, candidates, subset, nextStepAt: this.#slowStart?.nextStepAt(input.now) };
    this.#last = { input, selected };
    return selected;
  }

  /** The share of its weight that a member has because it is new, in (0, 1]. */
  rampOf(id: NodeId, now: number): number {
    return this.#slowStart?.shareOf(id, now) ?? 1;
  }

  #selectSubset({ nodes }: Candidates): readonly ClusterNode[] {
    const { zone } = this.#options;
    if (this.#subsets === undefined) return nodes;
    return this.#subsets.select(nodes, zone === undefined ? undefined : (node) => zoneOf(node) === zone);
  }

  #selectEndpoints(
    candidates: Candidates,
    subset: readonly ClusterNode[],
    { outs, callers, now }: SelectorInput,
  ): Selection {
    const { zone, panicShare } = this.#options;
    const slowStart = this.#slowStart;
    return selectEndpoints({
      candidates,
      subset,
      retained: this.#view.retained ?? [],
      outs,
      panicShare,
      zone: zone === undefined ? undefined : { own: zone, callers },
      rampOf: slowStart && ((id) => slowStart.shareOf(id, now)),
      previous: this.#last?.selected.endpoints ?? [],
    });
  }
}

function toChange(delta: MemberDelta): MemberDelta | undefined {
  return delta.added.length + delta.updated.length + delta.removed.length === 0 ? undefined : delta;
}

function withChange(members: MemberSet, delta: MemberDelta | undefined): MemberSet {
  if (delta === undefined) return members;
  const { added, updated, removed } = delta;
  return members.apply({
    upsert: [...added, ...updated.map(({ after }) => after)],
    remove: removed.map(({ id }) => id),
  });
}

function isSameView(a: MembershipView, b: Omit<MembershipView, "members">): boolean {
  return isSameList(a.blockedNodes, b.blockedNodes) && isSameList(a.retained ?? [], b.retained ?? []);
}

function isSameList(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a === b || (a.length === b.length && a.every((id, i) => id === b[i]));
}
