import type { TopologyEvent, TopologyStatus } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * The state is set before an event is emitted, every status is reported once, and the last reported status and
 * staleness are the current ones. `degraded` and `empty` are reported again when the staleness changes.
 */
export class StateBeforeEvents implements Invariant {
  readonly name = "state-before-events";
  readonly requirements = "R3.2 R5.3";
  readonly #context: InvariantContext;
  #status: TopologyStatus = "starting";
  #isStale = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#status = "starting";
    this.#isStale = false;
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    const { state } = life.service.topology;
    if (event.kind === "status_changed") {
      if (event.from !== this.#status)
        report(`status ${event.from} > ${event.to}, but ${this.#status} was reported`);
      const mayRepeat = event.to === "degraded" || (event.to === "empty" && event.isStale !== this.#isStale);
      if (event.to === event.from && !mayRepeat) report(`status ${event.to} is reported again`);
      if (event.reason === "") report(`status ${event.to} is reported without a reason`);
      this.#status = event.to;
      this.#isStale = event.isStale;
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
    const { status, isStale } = life.service.topology.state;
    if (status !== this.#status)
      this.#context.report(`the status is ${status}, but ${this.#status} was reported last`);
    else if (isStale !== this.#isStale)
      this.#context.report(`isStale is ${isStale} while ${status}, but ${this.#isStale} was reported last`);
  }
}
