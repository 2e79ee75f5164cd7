import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { SimProvider } from "../world/sim-provider.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * The end of a stream that had delivered is reported once, with the hash of its last snapshot, and is kept in the log.
 */
export class TerminationsReported implements Invariant {
  readonly name = "terminations-reported";
  readonly requirements = "R2.2";
  readonly #context: InvariantContext;
  readonly #reported = new Map<string, number>();

  #inForce: readonly SimProvider[] = [];
  readonly #removedAt = new Map<SimProvider, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#reported.clear();
    this.#removedAt.clear();
    this.#inForce = [];
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind !== "stream_terminated") return;
    const { providerId, seqNo, snapshotHash } = event;
    this.#reported.set(providerId, (this.#reported.get(providerId) ?? 0) + 1);
    if (snapshotHash === undefined) this.#context.report(`${seqNo}: the end of ${providerId} has no hash`);
    const kept = life.service.topology.terminations().find((one) => one.providerId === providerId);
    if (kept === undefined || kept.seqNo < seqNo)
      this.#context.report(`${seqNo}: the end of ${providerId} is not kept`);
  }

  setChanged(life: Life): void {
    const next = life.inForce;
    for (const provider of this.#inForce)
      if (!next.includes(provider)) this.#removedAt.set(provider, this.#context.world.clock.monotonic());
    this.#inForce = next;
  }

  stepDone({ brokenStreams }: Life): void {
    const ids = new Set(brokenStreams.map(({ provider }) => provider.descriptor.id));
    for (const id of ids) {
      const broken = brokenStreams.filter(({ provider }) => provider.descriptor.id === id);
      // A stream that failed while its provider was removed need not be reported.
      const due = broken.filter(({ provider, atMs }) => this.#removedAt.get(provider) !== atMs);
      const reported = this.#reported.get(id) ?? 0;
      if (reported < due.length || reported > broken.length)
        this.#context.report(`${broken.length} streams of ${id} failed, ${reported} were reported`);
    }
  }
}
