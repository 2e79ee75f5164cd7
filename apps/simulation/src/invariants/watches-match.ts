import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * Every registered provider that can watch is watched exactly once, and no other provider is. A provider that is no
 * longer in force is disposed of.
 */
export class WatchesMatch implements Invariant {
  readonly name = "watches-match";
  readonly requirements = "R1.3 R2.1 R5.4";
  readonly #context: InvariantContext;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  stepDone(life: Life): void {
    const { report } = this.#context;
    const inForce = new Set(life.inForce);
    const isChanging = life.operations.some(({ outcome }) => outcome === "pending");
    const registered = life.registered.map(({ id }) => id).join();
    const reported = life.service
      .providerHealth()
      .map(({ providerId }) => providerId)
      .join();
    if (registered !== reported) report(`registered are ${registered}, reported ${reported}`);
    for (const instance of life.instances) {
      const { id } = instance.descriptor;
      const open = [...instance.watches].filter(({ signal }) => !signal.aborted);
      if (open.length > 1) report(`${id} is watched ${open.length} times`);
      if (inForce.has(instance)) {
        if (instance.isDisposed) report(`${id} is in force but was disposed of`);
        if (!instance.capabilities.watch) report(`${id} cannot watch but is in force`);
        continue;
      }
      if (open.length > 0) report(`${id} is not in force but still watched`);
      if (!isChanging && !instance.isDisposed) report(`${id} is not in force but was never disposed of`);
    }
    const judged = life.service.providerHealth().filter(({ health }) => health !== "disabled").length;
    if (judged !== inForce.size) report(`${inForce.size} are in force, ${judged} are judged`);
  }

  healed(life: Life): void {
    if (this.#context.world.setting.standby === "cold") return;
    for (const { descriptor, watches } of life.inForce) {
      const isOpen = [...watches].some(({ signal, isClosed }) => !signal.aborted && !isClosed);
      if (!isOpen) this.#context.report(`${descriptor.id} works but is not watched`);
    }
  }
}
