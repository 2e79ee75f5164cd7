import type { TopologyEvent } from "@holdfast/core";
import type { Invariant, InvariantContext } from "./invariant.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { PortName } from "../script/script.ts";
import type { Life } from "../world/life.ts";

/**
 * Content of another provider comes only after the `provider_changed` that names it, in the log and at the ports, and the
 * changes are one chain. What is held meanwhile may still be marked with a block.
 */
export class ProviderChangedFirst implements Invariant {
  readonly name = "provider-changed-first";
  readonly requirements = "R3.4";
  readonly #context: InvariantContext;
  #believed: string | undefined;
  /** Ticks that only mark what is held of an earlier provider. */
  readonly #marks = new Set<number>();
  /** The provider that each port knows of, and the tick that it knows it from. */
  readonly #told = new Map<string, { readonly providerId: string; readonly seqNo: number }>();
  #changes: number[] = [];

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#believed = undefined;
    this.#marks.clear();
    this.#told.clear();
    this.#changes = [];
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    if (event.kind === "provider_changed") {
      const { from, to, seqNo } = event;
      if (from === to) report(`${seqNo}: ${from} changes to itself`);
      if (this.#believed !== undefined && from !== this.#believed)
        report(`${seqNo}: ${from} changes to ${to}, and ${this.#believed} was believed`);
      this.#believed = to;
      this.#changes.push(seqNo);
    }
    if (event.kind !== "snapshot") return;
    const { providerId } = event.snapshot;
    const { added, updated, removed, blocked } = event.delta;
    const isMark = added.length + updated.length + removed.length === 0 && blocked.length > 0;
    if (providerId === this.#believed || this.#believed === undefined) this.#believed = providerId;
    else if (isMark && life.service.topology.state.isStale) this.#marks.add(event.seqNo);
    else report(`${event.seqNo}: content of ${providerId} while ${this.#believed} is believed`);
  }

  callBegan({ call, seqNo }: PortRecord): void {
    if (call.method !== "applySnapshot" || this.#marks.has(seqNo)) return;
    const { providerId } = call.tick.snapshot;
    if (this.#context.ports.isPostponed(call.port)) return;
    const told = this.#told.get(call.port)?.providerId;
    if (told !== undefined && providerId !== told && !this.#mayHaveMissed(call.port))
      this.#context.report(`${call.port} gets content of ${providerId} at ${seqNo}, and was told of ${told}`);
  }

  /** A notice that the port refused as often as it is tried was given up. */
  #mayHaveMissed(port: PortName): boolean {
    const { ports } = this.#context;
    return this.#changes.some((seqNo) => ports.isParked(port, seqNo));
  }

  callEnded({ call, outcome, seqNo }: PortRecord): void {
    if (outcome !== "done") return;
    if (call.method === "notify" && call.notice.kind === "provider_changed")
      this.#tell(call.port, call.notice.to, seqNo);
    else if (call.method === "applySnapshot" && !this.#marks.has(seqNo))
      this.#tell(call.port, call.tick.snapshot.providerId, seqNo);
  }

  /** A snapshot that is tried again does not undo a later notice. */
  #tell(port: PortName, providerId: string, seqNo: number): void {
    if ((this.#told.get(port)?.seqNo ?? 0) <= seqNo) this.#told.set(port, { providerId, seqNo });
  }
}
