import type { ProviderDescriptor } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { describeSet } from "../world/sim-disk.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const FAILED_RESAVE = "could not be saved again";

/**
 * After every change of the set, done or refused, exactly one whole set is in force: the new one or the old one, and it is
 * the one on the disk, unless the disk failed twice in a row (which is told) or somebody else has written it.
 */
export class WholeSets implements Invariant {
  readonly name = "whole-sets";
  readonly requirements = "R1.2 R1.5 R5.4";
  readonly #context: InvariantContext;
  #model: readonly ProviderDescriptor[] = [];
  #counted = 0;
  #warnings = 0;
  /** The disk may hold the set that was refused. */
  #isInDoubt = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#model = [];
    this.#counted = this.#warnings = 0;
    this.#isInDoubt = false;
  }

  stepDone(life: Life): void {
    const { report, world } = this.#context;
    this.#follow(life);
    const pending = life.operations.slice(this.#counted);
    const allowed = [this.#model, ...pending.map(({ effect }) => effect(this.#model))].map(describeSet);
    const inForce = describeSet(life.registered);
    if (pending.length === 0 ? inForce !== allowed[0] : !allowed.includes(inForce))
      report(`in force is ${inForce}, and should be ${allowed.join(" or ")}`);
    if (pending.length > 0) return;
    const { set, version } = world.disk;
    const isForeign = life.store.seenVersion !== version;
    if (isForeign || this.#isInDoubt) return;
    if (describeSet(set) !== inForce) report(`in force is ${inForce}, on the disk ${describeSet(set)}`);
  }

  /** In the order in which they were asked for: so the registry takes them. */
  #follow(life: Life): void {
    const { operations, warnings } = life;
    for (let next = operations[this.#counted]; next !== undefined; next = operations[this.#counted]) {
      if (next.outcome === "pending") break;
      if (next.outcome === "done") {
        this.#model = next.effect(this.#model);
        this.#isInDoubt = false;
      }
      this.#counted++;
    }
    for (; this.#warnings < warnings.length; this.#warnings++) {
      if (warnings[this.#warnings]?.message.includes(FAILED_RESAVE) === true) this.#isInDoubt = true;
    }
  }
}
