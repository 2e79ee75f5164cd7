import { ProvisioningError, type SourceEvent, type ProviderSnapshot } from "@holdfast/core";
import type { Tiny, TinyParts } from "./tiny-provider.ts";

export type Fault = (tiny: Tiny) => TinyParts;

/** What a provider does wrong, and exactly the tests that have to notice it. */
interface ProviderFault {
  readonly fault: Fault;
  readonly fails: readonly string[];
}

/** By what a sentence says of the provider. */
export type ProviderFaults = Readonly<Record<string, ProviderFault>>;

/** Changes what a watch says, event by event. */
export function saying(change: (event: SourceEvent, tiny: Tiny) => readonly SourceEvent[]): Fault {
  return (tiny) => ({
    async *watch(options) {
      for await (const event of tiny.watch(options)) yield* change(event, tiny);
    },
  });
}

/** Changes the snapshots a watch shows. */
export function showing(change: (snapshot: ProviderSnapshot, tiny: Tiny) => ProviderSnapshot): Fault {
  return saying((event, tiny) => [
    event.type === "snapshot" ? { ...event, snapshot: change(event.snapshot, tiny) } : event,
  ]);
}

export const heartbeat: SourceEvent = { type: "heartbeat" };
export const timedOut = (): ProvisioningError => new ProvisioningError("CONNECTIVITY_TIMEOUT", "too slow");
export const aborted = (): ProvisioningError => new ProvisioningError("LIFECYCLE_ABORTED", "told to stop");
