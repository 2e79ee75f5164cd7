import type { StopReport } from "@holdfast/provisioning";
import { PORTS, type PortName } from "../script/script.ts";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * Every notice reaches every port, in order and before any later snapshot. A notice whose tries are used up is parked
 * instead: it is counted and there is a warning, and later notices are delivered. A port that works again knows the
 * newest status. A stop names the notices it left undelivered.
 */
export class NoticesComplete implements Invariant {
  readonly name = "notices-complete";
  readonly requirements = "R2.2 R3.4 R3.5 R3.6 R5.3";
  readonly #context: InvariantContext;
  readonly #status = new Map<PortName, string>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#status.clear();
  }

  callBegan({ call, seqNo }: PortRecord): void {
    const { report } = this.#context;
    const next = this.#nextOf(call.port);
    if (call.method === "notify") {
      const { ports } = this.#context;
      if (seqNo !== next && !ports.isParked(call.port, seqNo))
        report(`${call.port} receives ${seqNo}, but ${next} is due`);
      return;
    }
    // Events computed at a notice have its number and follow it.
    if (next !== undefined && next < seqNo)
      report(`${call.port}.${call.method} ${seqNo} comes before notice ${next} was delivered`);
  }

  callEnded({ call, outcome }: PortRecord): void {
    if (outcome === "done" && call.method === "notify" && call.notice.kind === "status_changed")
      this.#status.set(call.port, call.notice.to);
  }

  stepDone({ service, warnings }: Life): void {
    const { report, ports } = this.#context;
    const parked = service.consumers().reduce((sum, consumer) => sum + consumer.parked, 0);
    const warned = warnings.filter(({ code }) => code === "LIFECYCLE_NOTICE_PARKED").length;
    if (parked < ports.parked) report(`${ports.parked} notices were parked, but ${parked} are counted`);
    if (warned !== parked) report(`${parked} notices were parked, but there are ${warned} warnings`);
  }

  healed({ service }: Life): void {
    const { report } = this.#context;
    const { status } = service.topology.state;
    for (const port of PORTS) {
      const next = this.#nextOf(port);
      if (next !== undefined) report(`${port} works again, but never received ${next}`);
      const known = this.#status.get(port) ?? "starting";
      if (known !== status) report(`${port} works again, but knows the status ${known}, not ${status}`);
    }
    for (const { port, isBehind } of service.consumers())
      if (isBehind) report(`${port} works again, but is reported as behind`);
  }

  lifeStopped(_life: Life, { unfinished }: StopReport): void {
    const { report, ports } = this.#context;
    const due = ports.notices.slice(0, -1);
    const isAllTold = PORTS.every((port) =>
      due.every((seqNo) => ports.wasDelivered(port, seqNo) || ports.isParked(port, seqNo)),
    );
    const isNamed = unfinished.some((what) => !/^(registry|last known good)/.test(what));
    if (!isAllTold && !isNamed) report("the stop left notices undelivered without reporting it");
  }

  /** Returns the first notice that was neither delivered nor parked. */
  #nextOf(port: PortName): number | undefined {
    const { ports } = this.#context;
    return ports.notices.find((seqNo) => !ports.wasDelivered(port, seqNo) && !ports.isParked(port, seqNo));
  }
}
