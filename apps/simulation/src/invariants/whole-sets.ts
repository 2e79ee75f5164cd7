import type { ProviderDescriptor } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { describeSet } from "../world/sim-disk.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const FAILED_RESAVE = "could not be saved again";

/**
 * After every change of the set, successful or refused, exactly one complete set is in force: the new one or the old
 * one. It is also the set on the disk, unless the disk failed twice in a row (which is reported) or another process has
 * written it.
 */
export class WholeSets implements Invariant {
  readonly name = "whole-sets";
  readonly requirements = "R1.2 R1.5 R5.4";
  readonly #context: InvariantContext;
  #model: readonly ProviderDescriptor[] = [];
  #counted = 0;
  #warnings = 0;
  /** True when the disk may hold the refused set. */
  #mayDiffer = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#model = [];
    this.#counted = this.#warnings = 0;
    this.#mayDiffer = false;
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
    if (isForeign || this.#mayDiffer) return;
    if (describeSet(set) !== inForce) report(`in force is ${inForce}, on the disk ${describeSet(set)}`);
  }

  /** In the order of the requests, which is the order in which the registry handles them. */
  #follow(life: Life): void {
    const { operations, warnings } = life;
    for (let next = operations[this.#counted]; next !== undefined; next = operations[this.#counted]) {
      if (next.outcome === "pending") break;
      if (next.outcome === "done") {
        this.#model = next.effect(this.#model);
        this.#mayDiffer = false;
      }
      this.#counted++;
    }
    for (; this.#warnings < warnings.length; this.#warnings++) {
      if (warnings[this.#warnings]?.message.includes(FAILED_RESAVE) === true) this.#mayDiffer = true;
    }
  }
}
