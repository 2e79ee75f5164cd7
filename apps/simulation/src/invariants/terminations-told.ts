import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { SimProvider } from "../world/sim-provider.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** The end of a stream that had delivered is told, once, with the hash of what it brought last, and kept. */
export class TerminationsTold implements Invariant {
  readonly name = "terminations-told";
  readonly requirements = "R2.2";
  readonly #context: InvariantContext;
  readonly #told = new Map<string, number>();

  #inForce: readonly SimProvider[] = [];
  readonly #removedAt = new Map<SimProvider, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#told.clear();
    this.#removedAt.clear();
    this.#inForce = [];
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind !== "stream_terminated") return;
    const { providerId, seqNo, snapshotHash } = event;
    this.#told.set(providerId, (this.#told.get(providerId) ?? 0) + 1);
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
      // Of one that broke as its provider was taken away nobody need have heard.
      const due = broken.filter(({ provider, atMs }) => this.#removedAt.get(provider) !== atMs);
      const told = this.#told.get(id) ?? 0;
      if (told < due.length || told > broken.length)
        this.#context.report(`${broken.length} streams of ${id} broke, ${told} were told`);
    }
  }
}
