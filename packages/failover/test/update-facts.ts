import type {
  Availability,
  GuardHold,
  HealthChange,
  ProviderSnapshot,
  ProviderSwitch,
  StreamEnd,
  Update,
  UpdateRun,
} from "@holdfast/core";

/** One difference between an update and the update before it. */
export type UpdateFact =
  | { readonly type: "ended"; readonly ended: StreamEnd }
  | { readonly type: "health"; readonly change: HealthChange }
  | { readonly type: "switched"; readonly switched: ProviderSwitch }
  | { readonly type: "hold"; readonly hold: GuardHold }
  | { readonly type: "hold_over"; readonly hold: GuardHold }
  | { readonly type: "availability"; readonly availability: Availability; readonly reason: string }
  | { readonly type: "snapshot"; readonly snapshot: ProviderSnapshot };

/** Records the updates of a run as facts. The facts of one update are in a fixed order, which is not the order of the hub's log. */
export class UpdateFacts {
  readonly all: UpdateFact[] = [];
  #last: Update | undefined;
  #availability: Availability | undefined;

  readonly onUpdate: UpdateRun["onUpdate"] = (update) => {
    this.all.push(...this.#compare(update));
    this.#last = update;
  };

  #compare(update: Update): readonly UpdateFact[] {
    const { ended, switched, snapshot, holds } = update;
    const before = this.#last;
    const facts: UpdateFact[] = [];
    if (ended !== undefined) facts.push({ type: "ended", ended });
    for (const change of update.health) facts.push({ type: "health", change });
    if (switched !== undefined) facts.push({ type: "switched", switched });
    const find = (hold: GuardHold) => before?.holds.find((other) => isSame(hold, other));
    for (const hold of holds) if (find(hold) === undefined) facts.push({ type: "hold", hold });
    const availability = this.#takeAvailability(update);
    if (availability !== "available") facts.push(...toFact(availability, update));
    if (snapshot !== undefined && snapshot !== before?.snapshot) facts.push({ type: "snapshot", snapshot });
    for (const hold of before?.holds ?? []) {
      if (!holds.some((other) => isSame(hold, other))) facts.push({ type: "hold_over", hold });
    }
    for (const hold of holds) {
      const known = find(hold);
      if (known === undefined || (known.nodes === hold.nodes && known.reason === hold.reason)) continue;
      facts.push({ type: "hold", hold });
    }
    if (availability === "available") facts.push(...toFact(availability, update));
    return facts;
  }

  /** Returns the availability if it changed. Waiting for the first snapshot without a failure is not a change. */
  #takeAvailability({ availability, cause, snapshot }: Update): Availability | undefined {
    const before = this.#availability;
    const isWaiting = availability === "degraded" && cause === undefined && snapshot === undefined;
    if (before === undefined && isWaiting) return undefined;
    this.#availability = availability;
    return availability === (before ?? "available") ? undefined : availability;
  }
}

function toFact(availability: Availability | undefined, { reason }: Update): readonly UpdateFact[] {
  return availability === undefined ? [] : [{ type: "availability", availability, reason }];
}

function isSame(a: GuardHold, b: GuardHold): boolean {
  return a.guard === b.guard && a.providerId === b.providerId;
}
