import type { TopologyEvent } from "@holdfast/core";
import type { StopReport } from "@holdfast/provisioning";
import { PORTS, type PortName } from "../script/script.ts";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * Every `provider_changed`, `stream_terminated` and `status_changed` reaches every port, in order, none skipped, and before
 * any snapshot that comes after it in the log. What a stop left untold it names.
 */
export class NoticesComplete implements Invariant {
  readonly name = "notices-complete";
  readonly requirements = "R2.2 R3.4 R3.5 R5.3";
  readonly #context: InvariantContext;
  #notices: number[] = [];
  readonly #told: Record<PortName, number> = { partition: 0, placement: 0, remoting: 0 };

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#notices = [];
    for (const port of PORTS) this.#told[port] = 0;
  }

  event({ kind, seqNo }: TopologyEvent): void {
    if (kind !== "snapshot" && kind !== "health_changed") this.#notices.push(seqNo);
  }

  callBegan({ call, seqNo }: PortRecord): void {
    const { report } = this.#context;
    const next = this.#notices[this.#told[call.port]];
    if (call.method === "notify") {
      if (seqNo !== next) report(`${call.port} is told of ${seqNo}, and ${next} is due`);
      return;
    }
    // Events computed at a notice have its number, and follow it.
    if (next !== undefined && next < seqNo)
      report(`${call.port}.${call.method} ${seqNo} comes before notice ${next} was told`);
  }

  callEnded({ call, outcome }: PortRecord): void {
    if (call.method === "notify" && outcome === "done") this.#told[call.port]++;
  }

  healed(): void {
    for (const port of PORTS) {
      const next = this.#notices[this.#told[port]];
      if (next !== undefined) this.#context.report(`${port} works again, and was never told of ${next}`);
    }
  }

  lifeStopped(_life: Life, { unfinished }: StopReport): void {
    const due = this.#notices.slice(0, -1);
    const isAllTold = PORTS.every((port) => this.#told[port] >= due.length);
    const isNamed = unfinished.some((what) => !/^(registry|last known good)/.test(what));
    if (!isAllTold && !isNamed) this.#context.report("the stop left notices untold, and does not say so");
  }
}
