import type { GuardKind, TopologyEvent, TopologyState } from "@holdfast/core";
import type { NodeExplanation } from "@holdfast/provisioning";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** Nodes that backends may list, and one that none lists. */
const NODES = ["a", "b", "c", "d", "e", "z"];

interface Change {
  readonly seqNo: number;
  readonly kinds: readonly string[];
  readonly providerId: string;
}

/**
 * For every node the explanation agrees with the state, with the last response of each backend on an open watch, and
 * with the newest event of the log that changed the node.
 */
export class Explanations implements Invariant {
  readonly name = "explanations";
  readonly requirements = "R5.3";
  readonly #context: InvariantContext;
  /** Each member in the last snapshot: its address, its other fields, and whether it is blocked. */
  #members: ReadonlyMap<string, { readonly text: string; readonly isBlocked: boolean }> = new Map();
  readonly #changes = new Map<string, Change>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#members = new Map();
    this.#changes.clear();
  }

  event(event: TopologyEvent): void {
    if (event.kind !== "snapshot") return;
    const { members, blockedNodes, providerId } = event.snapshot;
    const next = new Map(
      members
        .toArray()
        .map((node) => [node.id, { text: JSON.stringify(node), isBlocked: blockedNodes.includes(node.id) }]),
    );
    for (const id of NODES) {
      const kinds = kindsOf(this.#members.get(id), next.get(id));
      if (kinds.length > 0) this.#changes.set(id, { seqNo: event.seqNo, kinds, providerId });
    }
    this.#members = next;
  }

  stepDone(life: Life): void {
    const { state } = life.service.topology;
    for (const id of NODES) {
      const explanation = life.service.explain(id);
      const wrong =
        faultOfStanding(explanation, state, life) ??
        this.#faultOfChange(explanation) ??
        faultOfViews(explanation, life);
      if (wrong !== undefined) {
        const { standing, rule } = explanation;
        this.#context.report(`${id} is explained as ${standing} (${rule}), ${wrong}`);
      }
    }
  }

  #faultOfChange({ nodeId, lastChange, keptSince }: NodeExplanation): string | undefined {
    const change = this.#changes.get(nodeId);
    // Changes that the log no longer keeps cannot be explained.
    const due = change !== undefined && change.seqNo >= (keptSince ?? 0) ? change : undefined;
    if (lastChange?.seqNo !== due?.seqNo)
      return `changed last at ${lastChange?.seqNo}, and was at ${due?.seqNo}`;
    if (lastChange === undefined || due === undefined) return undefined;
    if (!due.kinds.includes(lastChange.change))
      return `${lastChange.change} at ${due.seqNo}, and was ${due.kinds.join(", ")}`;
    return lastChange.providerId === due.providerId
      ? undefined
      : `changed by ${lastChange.providerId} at ${due.seqNo}, and was by ${due.providerId}`;
  }
}

function kindsOf(
  before: { readonly text: string; readonly isBlocked: boolean } | undefined,
  after: typeof before,
): readonly string[] {
  if (after === undefined) return before === undefined ? [] : ["removed"];
  if (before === undefined) return ["added"];
  const kinds: string[] = [];
  if (before.text !== after.text) kinds.push("updated");
  if (before.isBlocked !== after.isBlocked) kinds.push(after.isBlocked ? "blocked" : "unblocked");
  return kinds;
}

function faultOfStanding(
  { nodeId, standing, rule, reason, seqNo, status, node, lastChange, hold }: NodeExplanation,
  state: TopologyState,
  life: Life,
): string | undefined {
  if (seqNo !== state.seqNo || status !== state.status) return "of another moment";
  if (reason === "") return "without a reason";
  const { snapshot, holds, isStale } = state;
  const member = snapshot?.members.get(nodeId);
  if (member !== undefined && node !== member) return "as another node than the member";
  const isListed = life.active?.answer?.has(nodeId) === true;
  const isListedBeside = life.inForce.some(
    (provider) => provider !== life.active && provider.answer?.has(nodeId) === true,
  );
  const isHolding = (kind: GuardKind) => holds.some(({ guard }) => guard === kind);
  const isHeldBack = isHolding("mass_removal");
  const expected = (): readonly string[] => {
    if (member === undefined) {
      if (snapshot === undefined) return ["no_snapshot"];
      if (lastChange?.change === "removed") return ["removed", "not_listed_after_switch"];
      return isListedBeside ? ["not_believed"] : ["never_seen"];
    }
    if (state.restoringNodes.includes(nodeId)) return ["restoring"];
    if (snapshot?.blockedNodes.includes(nodeId) === true) return ["blocked"];
    if (snapshot?.retained?.includes(nodeId) === true && (isHeldBack || isHolding("removal_dwell"))) {
      if (isHeldBack && isHolding("removal_dwell")) return ["mass_removal", "removal_dwell"];
      return [isHeldBack ? "mass_removal" : "removal_dwell"];
    }
    if (isHolding("last_known_good")) return ["last_known_good"];
    return isStale ? ["stale"] : ["listed"];
  };
  if (!expected().includes(rule)) return `and by rule it should be ${expected().join(" or ")}`;
  if (standing !== STANDINGS[rule]) return `and ${rule} is ${STANDINGS[rule]}`;
  const isHeldByGuard = rule === "removal_dwell" || rule === "mass_removal" || rule === "last_known_good";
  if (isHeldByGuard && (hold?.guard !== rule || !holds.includes(hold))) return "without the hold";
  return rule === "listed" && !isListed ? "and the active provider does not list it" : undefined;
}

const STANDINGS: Readonly<Record<NodeExplanation["rule"], NodeExplanation["standing"]>> = {
  listed: "in",
  blocked: "blocked",
  restoring: "blocked",
  removal_dwell: "held",
  mass_removal: "held",
  last_known_good: "held",
  stale: "held",
  removed: "out",
  not_listed_after_switch: "out",
  not_believed: "out",
  no_snapshot: "unknown",
  never_seen: "unknown",
};

function faultOfViews({ nodeId, providers }: NodeExplanation, life: Life): string | undefined {
  const reported = providers
    .map(({ providerId, isActive, isListed }) => describe(providerId, isActive, isListed))
    .sort();
  const known = life.inForce
    .filter(({ answer }) => answer !== undefined)
    .map((provider) =>
      describe(provider.descriptor.id, provider === life.active, provider.answer?.has(nodeId) === true),
    )
    .sort();
  return reported.join() === known.join()
    ? undefined
    : `by ${reported.join() || "no provider"}, but it should be ${known.join() || "no provider"}`;
}

function describe(id: string, isActive: boolean, isListed: boolean): string {
  return `${id}${isActive ? "*" : ""}${isListed ? " lists it" : ""}`;
}
