import type { TopologyEvent } from "@holdfast/core";
import type { PortName } from "../script/script.ts";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * No call is in progress beyond its deadline, and a working port receives its calls even if the other one hangs or
 * fails.
 */
export class BoundedWaits implements Invariant {
  readonly name = "bounded-waits";
  readonly requirements = "R3.6";
  readonly #context: InvariantContext;
  readonly #pending = new Map<PortRecord, number>();
  /** When each notice was emitted, by its number. */
  readonly #toldAt = new Map<number, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#pending.clear();
    this.#toldAt.clear();
  }

  event({ kind, seqNo }: TopologyEvent): void {
    if (kind !== "snapshot" && kind !== "health_changed") this.#toldAt.set(seqNo, this.#now());
  }

  callBegan(record: PortRecord): void {
    this.#pending.set(record, this.#now());
  }

  callEnded(record: PortRecord): void {
    this.#pending.delete(record);
  }

  stepDone(life: Life): void {
    const { report, world } = this.#context;
    for (const [{ call, seqNo, signal }, since] of this.#pending) {
      if (signal.aborted || this.#now() - since <= world.setting.callTimeoutMs) continue;
      report(`${call.port}.${call.method} ${seqNo} is in progress beyond its deadline, but was not given up`);
    }
    for (const [port, other] of [
      ["placement", "partition"],
      ["partition", "placement"],
    ] as const) {
      this.#checkOvertaking(port, other, life);
    }
  }

  #checkOvertaking(port: PortName, other: PortName, life: Life): void {
    const { report, ports, world } = this.#context;
    const due = ports.notices.find(
      (seqNo) => !ports.wasDelivered(port, seqNo) && !ports.isParked(port, seqNo),
    );
    const { behaviour, behaviourSince } = world.ports[port];
    const isWorking = [...this.#pending.keys()].some(({ call }) => call.port === port);
    if (due === undefined || behaviour !== "well" || isWorking || ports.hasFailed(port)) return;
    const since = Math.max(
      this.#toldAt.get(due) ?? 0,
      behaviourSince,
      ports.lastDoneAt(other),
      ports.lastDoneAt(port),
      life.upAt?.monotonicMs ?? Infinity,
    );
    if (this.#now() - since > 2 * world.setting.callTimeoutMs)
      report(`${port} works, but does not receive ${due} because of ${other}`);
  }

  #now(): number {
    return this.#context.world.clock.monotonic();
  }
}
