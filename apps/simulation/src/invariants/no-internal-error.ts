import { isProvisioningError } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** No call fails with an error that indicates a bug, no internal listener throws, and every refusal has a code. */
export class NoInternalError implements Invariant {
  readonly name = "no-internal-error";
  readonly requirements = "R5.5";
  readonly #context: InvariantContext;
  #warnings = 0;
  #operations = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#warnings = this.#operations = 0;
  }

  stepDone(life: Life): void {
    this.#check(life);
  }

  lifeStopped(life: Life): void {
    this.#check(life);
  }

  #check({ warnings, operations }: Life): void {
    const { report } = this.#context;
    for (const { code, message } of warnings.slice(this.#warnings)) {
      const isListener = code === "LIFECYCLE_CONSUMER_FAILED" && message.includes("listener");
      if (code === "LIFECYCLE_INTERNAL" || code === "ORDER_STALE_SEQUENCE" || isListener) report(message);
    }
    this.#warnings = warnings.length;
    for (const { what, outcome, error } of operations.slice(this.#operations)) {
      if (outcome !== "refused") continue;
      if (!isProvisioningError(error)) report(`${what} failed with ${String(error)}`);
      else if (error.code === "LIFECYCLE_INTERNAL") report(`${what} failed with ${error.message}`);
    }
    this.#operations = operations.filter(({ outcome }) => outcome !== "pending").length;
  }
}
