import type { TopologyStatus } from "@holdfast/core";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** No channel is opened from stale data: a Join is told, also again, only while the topology is ready. */
export class JoinsWhenReady implements Invariant {
  readonly name = "joins-when-ready";
  readonly requirements = "R4.3";
  readonly #context: InvariantContext;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  callBegan({ call, life }: PortRecord): void {
    if (call.method !== "applyEvents" || !call.events.some(({ kind }) => kind === "join")) return;
    const status: TopologyStatus = life.service.topology.state.status;
    if (status !== "ready") this.#context.report(`a Join is told while the topology is ${status}`);
  }
}
