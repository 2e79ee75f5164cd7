import type { TopologyEvent } from "@holdfast/core";
import type { Invariant, InvariantContext } from "./invariant.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { PortName } from "../script/script.ts";
import type { Life } from "../world/life.ts";

/**
 * Content of another provider comes only after the `provider_changed` that names it, in the log and at the ports, and
 * the changes form a chain. In the meantime held content may still be marked with a block.
 */
export class ProviderChangedFirst implements Invariant {
  readonly name = "provider-changed-first";
  readonly requirements = "R3.4";
  readonly #context: InvariantContext;
  #activeId: string | undefined;
  /** Ticks that only mark held content of an earlier provider. */
  readonly #marks = new Set<number>();
  /** The provider that each port knows, and the tick from which it knows it. */
  readonly #known = new Map<string, { readonly providerId: string; readonly seqNo: number }>();
  #changes: number[] = [];

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#activeId = undefined;
    this.#marks.clear();
    this.#known.clear();
    this.#changes = [];
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    if (event.kind === "provider_changed") {
      const { from, to, seqNo } = event;
      if (from === to) report(`${seqNo}: ${from} changes to itself`);
      if (this.#activeId !== undefined && from !== this.#activeId)
        report(`${seqNo}: ${from} changes to ${to}, but ${this.#activeId} was active`);
      this.#activeId = to;
      this.#changes.push(seqNo);
    }
    if (event.kind !== "snapshot") return;
    const { providerId } = event.snapshot;
    const { added, updated, removed, blocked } = event.delta;
    const isMark = added.length + updated.length + removed.length === 0 && blocked.length > 0;
    if (providerId === this.#activeId || this.#activeId === undefined) this.#activeId = providerId;
    else if (isMark && life.service.topology.state.isStale) this.#marks.add(event.seqNo);
    else report(`${event.seqNo}: content of ${providerId} while ${this.#activeId} is active`);
  }

  callBegan({ call, seqNo }: PortRecord): void {
    if (call.method !== "applySnapshot" || this.#marks.has(seqNo)) return;
    const { providerId } = call.tick.snapshot;
    if (this.#context.ports.isPostponed(call.port)) return;
    const known = this.#known.get(call.port)?.providerId;
    if (known !== undefined && providerId !== known && !this.#mayHaveMissed(call.port))
      this.#context.report(
        `${call.port} receives content of ${providerId} at ${seqNo}, but knows ${known} as active`,
      );
  }

  /** True when a notice may have been parked because its tries were used up. */
  #mayHaveMissed(port: PortName): boolean {
    const { ports } = this.#context;
    return this.#changes.some((seqNo) => ports.isParked(port, seqNo));
  }

  callEnded({ call, outcome, seqNo }: PortRecord): void {
    if (outcome !== "done") return;
    if (call.method === "notify" && call.notice.kind === "provider_changed")
      this.#learn(call.port, call.notice.to, seqNo);
    else if (call.method === "applySnapshot" && !this.#marks.has(seqNo))
      this.#learn(call.port, call.tick.snapshot.providerId, seqNo);
  }

  /** A repeated snapshot does not override a later notice. */
  #learn(port: PortName, providerId: string, seqNo: number): void {
    if ((this.#known.get(port)?.seqNo ?? 0) <= seqNo) this.#known.set(port, { providerId, seqNo });
  }
}
