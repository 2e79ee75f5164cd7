import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** The end of a stream that had delivered is told, once, with the hash of what it brought last, and kept. */
export class TerminationsTold implements Invariant {
  readonly name = "terminations-told";
  readonly requirements = "R2.2";
  readonly #context: InvariantContext;
  readonly #told = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#told.clear();
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

  stepDone(life: Life): void {
    for (const [id, broken] of life.brokenStreams) {
      const told = this.#told.get(id) ?? 0;
      if (told !== broken) this.#context.report(`${broken} streams of ${id} broke, ${told} were told`);
    }
  }
}
