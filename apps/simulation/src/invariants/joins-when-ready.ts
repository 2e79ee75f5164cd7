import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * No channel is opened from stale data: a Join is sent, or sent again, only while the topology is ready, or degraded
 * only because a guard keeps members that the active provider does not list; and never a Join of such a member.
 */
export class JoinsWhenReady implements Invariant {
  readonly name = "joins-when-ready";
  readonly requirements = "R4.3";
  readonly #context: InvariantContext;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  callBegan({ call, life }: PortRecord): void {
    if (call.method !== "applyEvents" || !call.events.some(({ kind }) => kind === "join")) return;
    const { status, isStale, snapshot } = life.service.topology.state;
    const retained = snapshot?.retained;
    if (status !== "ready" && (status !== "degraded" || isStale || retained === undefined))
      this.#context.report(`a Join is sent while the topology is ${status}`);
    for (const { kind, node } of call.events)
      if (kind === "join" && retained?.includes(node.id) === true)
        this.#context.report(`a Join of ${node.id} is sent, which the active provider does not list`);
  }
}
