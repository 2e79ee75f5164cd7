import { ProvisioningError, type SourceEvent, type ProviderSnapshot } from "@holdfast/core";
import type { Tiny, TinyParts } from "./tiny-provider.ts";

export type Fault = (tiny: Tiny) => TinyParts;

/** The fault of a provider, and the tests that must fail, and no others. */
interface ProviderFault {
  readonly fault: Fault;
  readonly fails: readonly string[];
}

/** The faults by name. A name completes the sentence "fails a provider that …". */
export type ProviderFaults = Readonly<Record<string, ProviderFault>>;

/** Changes the events of a watch one by one. */
export function withEvents(change: (event: SourceEvent, tiny: Tiny) => readonly SourceEvent[]): Fault {
  return (tiny) => ({
    async *watch(options) {
      for await (const event of tiny.watch(options)) yield* change(event, tiny);
    },
  });
}

/** Changes the snapshots of a watch. */
export function withSnapshots(change: (snapshot: ProviderSnapshot, tiny: Tiny) => ProviderSnapshot): Fault {
  return withEvents((event, tiny) => [
    event.type === "snapshot" ? { ...event, snapshot: change(event.snapshot, tiny) } : event,
  ]);
}

export const heartbeat: SourceEvent = { type: "heartbeat" };
export const timedOut = (): ProvisioningError => new ProvisioningError("CONNECTIVITY_TIMEOUT", "too slow");
export const aborted = (): ProvisioningError =>
  new ProvisioningError("LIFECYCLE_ABORTED", "aborted by the test");
