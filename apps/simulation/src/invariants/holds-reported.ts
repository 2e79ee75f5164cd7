import type { GuardHold, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** Tolerance for the end of a hold, because clocks are read at different moments. */
const SAME_TIME_MS = 1_000;

/**
 * The log reports the start and the end of every hold of a guard, in pairs, and in between only a change of its count, end or
 * reason. The state lists the same holds, at most one per guard, and none when no member is held.
 */
export class HoldsReported implements Invariant {
  readonly name = "holds-reported";
  readonly requirements = "R5.3";
  readonly #context: InvariantContext;
  readonly #reported = new Map<string, GuardHold>();
  #isMasked = false;
  /** A mass-removal hold was in force at the last step, or was reported since: it may have ended as the content became stale. */
  #wasHeld = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#reported.clear();
    this.#isMasked = this.#wasHeld = false;
  }

  event(event: TopologyEvent): void {
    if (event.kind !== "guard_changed") return;
    if (event.guard === "mass_removal" && event.isHolding) this.#wasHeld = true;
    const { report } = this.#context;
    const { seqNo, isHolding, reason, nodes } = event;
    const key = keyOf(event);
    const known = this.#reported.get(key);
    if (reason === "") report(`${seqNo}: ${key} has no reason`);
    if (nodes < 1) report(`${seqNo}: ${key} holds ${nodes} nodes`);
    if (!isHolding) {
      if (known === undefined) report(`${seqNo}: the end of ${key}, whose start was not reported`);
      this.#reported.delete(key);
      return;
    }
    const isSameEnd = known !== undefined && Math.abs(known.until - event.until) < SAME_TIME_MS;
    if (isSameEnd && known.nodes === nodes && known.reason === reason)
      report(`${seqNo}: ${key} is reported again without a change`);
    this.#reported.set(key, event);
  }

  instantDone(life: Life): void {
    this.stepDone(life);
  }

  stepDone(life: Life): void {
    const { report } = this.#context;
    const { holds, snapshot, isStale } = life.service.topology.state;
    const reported = [...this.#reported.values()].map(describe).sort().join("; ");
    const held = holds.map(describe).sort().join("; ");
    if (reported !== held) report(`held is ${held || "nothing"}, reported is ${reported || "nothing"}`);
    const kinds = new Map(holds.map((hold) => [hold.guard, hold]));
    if (kinds.size < holds.length) report(`a guard holds twice: ${held}`);
    // The held content may remain after the hold until a provider delivers.
    if (!isStale) this.#isMasked = false;
    else if (kinds.has("mass_removal") || this.#wasHeld) this.#isMasked = true;
    this.#wasHeld = kinds.has("mass_removal");
    if (this.#isMasked) return;
    const retained = snapshot?.retained?.length ?? 0;
    const dwell = kinds.get("removal_dwell");
    const massRemoval = kinds.get("mass_removal");
    if ((dwell?.nodes ?? 0) + (massRemoval?.nodes ?? 0) !== retained)
      report(`${retained} members are retained, held is ${held}`);
    if (dwell !== undefined && dwell.providerId !== snapshot?.providerId)
      report(`members are retained in addition to those of ${snapshot?.providerId}, held is ${held}`);
    const known = kinds.get("last_known_good");
    if (known !== undefined && (!isRestored(snapshot) || known.nodes !== snapshot?.members.size))
      report(`${held}, but the snapshot differs from it`);
  }
}

function keyOf({ guard, providerId }: GuardHold): string {
  return `${guard} of ${providerId}`;
}

function describe(hold: GuardHold): string {
  return `${keyOf(hold)} (${hold.nodes} until ${hold.until})`;
}
