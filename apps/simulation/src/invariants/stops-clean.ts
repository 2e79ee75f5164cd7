import type { TopologyEvent } from "@holdfast/core";
import type { StopReport } from "@holdfast/provisioning";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * While the service drains it accepts no snapshot. After it has stopped nothing of it runs, waits, watches, emits or is
 * registered.
 */
export class StopsClean implements Invariant {
  readonly name = "stops-clean";
  readonly requirements = "R3.5";
  readonly #context: InvariantContext;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  event(event: TopologyEvent, life: Life): void {
    if (life.hasStopped) this.#context.report(`${event.kind} ${event.seqNo} is emitted after the stop`);
    if (life.isStopping && event.kind === "snapshot")
      this.#context.report(`the snapshot ${event.seqNo} is accepted while it drains`);
  }

  callBegan({ call, seqNo, life }: PortRecord): void {
    if (life.hasStopped) this.#context.report(`${call.port}.${call.method} ${seqNo} begins after the stop`);
  }

  stopOverdue(): void {
    this.#context.report("the stop does not end although its deadline has passed");
  }

  lifeStopped(life: Life, { unfinished }: StopReport): void {
    const { report } = this.#context;
    const { clock, instances, service, operations } = life;
    if (clock.pendingTimers > 0) report(`${clock.pendingTimers} timers are left after the stop`);
    if (service.topology.state.status !== "stopped")
      report(`the status is ${service.topology.state.status} after the stop`);
    const isStuck = instances.some((instance) => instance.isStuck);
    for (const { descriptor, watches, isDisposed } of instances) {
      for (const { signal } of watches)
        if (!signal.aborted) report(`the watch on ${descriptor.id} was never aborted`);
      if (!isDisposed) report(`${descriptor.id} was never disposed of`);
    }
    if (isStuck) return;
    if (unfinished.some((what) => what.startsWith("registry")))
      report(`the stop did not finish ${unfinished.join()}`);
    if (service.registry.list().length > 0) report("providers are registered after the stop");
    if (operations.some(({ outcome }) => outcome === "pending"))
      report("a change of the set is pending after the stop");
  }
}
