import type { TopologyEvent, TopologyStatus } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * The state is set before an event is emitted, every status is reported once, and the last reported status is the
 * current one.
 */
export class StateBeforeEvents implements Invariant {
  readonly name = "state-before-events";
  readonly requirements = "R3.2 R5.3";
  readonly #context: InvariantContext;
  #status: TopologyStatus = "starting";

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#status = "starting";
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    const { state } = life.service.topology;
    if (event.kind === "status_changed") {
      if (event.from !== this.#status)
        report(`status ${event.from} > ${event.to}, but ${this.#status} was reported`);
      if (event.to === event.from && event.to !== "degraded") report(`status ${event.to} is reported again`);
      if (event.reason === "") report(`status ${event.to} is reported without a reason`);
      this.#status = event.to;
    }
    // A listener may have caused further events that are not emitted yet.
    if (state.seqNo > event.seqNo) return;
    if (event.kind === "status_changed" && state.status !== event.to) {
      report(`${event.to} is reported while the status is ${state.status}`);
    }
    if (event.kind === "snapshot" && state.snapshot !== event.snapshot) {
      report(`the snapshot of ${event.seqNo} is emitted before the state has it`);
    }
    if (event.kind === "snapshot" && state.snapshotSeqNo !== event.seqNo) {
      report(`the snapshot of ${event.seqNo} is in the state as that of ${state.snapshotSeqNo}`);
    }
  }

  stepDone(life: Life): void {
    const { status } = life.service.topology.state;
    if (status !== this.#status)
      this.#context.report(`the status is ${status}, but ${this.#status} was reported last`);
  }
}
