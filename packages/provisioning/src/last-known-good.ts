import {
  ProvisioningError,
  toProvisioningError,
  untilAborted,
  type Clock,
  type KnownGood,
} from "@holdfast/core";
import type { Failover } from "@holdfast/failover";
import { SnapshotKeeper, type WatchHub } from "@holdfast/hub";
import type { ProviderRegistry } from "@holdfast/registry";
import type { LastKnownGoodOptions } from "./service-options.ts";
import { toSnapshotSource } from "./snapshot-source.ts";

export interface LastKnownGoodParts {
  readonly options: LastKnownGoodOptions;
  readonly registry: Pick<ProviderRegistry, "list" | "get">;
  readonly failover: Pick<Failover, "restore" | "health">;
  readonly topology: WatchHub;
  readonly clock: Clock;
  /** Called when a snapshot could not be loaded, restored or saved. */
  readonly onError: (error: ProvisioningError) => void;
}

const DEFAULT_MAX_AGE_MS = 3_600_000;
const DEFAULT_SAVE_EVERY_MS = 10_000;

/**
 * Keeps the last known good snapshot of a topology across restarts: restores it at the start, and saves it while the service runs. A
 * failure to do so never prevents the service from starting or stopping.
 */
export class LastKnownGood {
  readonly #parts: LastKnownGoodParts;
  readonly #maxAgeMs: number;
  #keeper: SnapshotKeeper | undefined;

  constructor(parts: LastKnownGoodParts) {
    this.#parts = parts;
    this.#maxAgeMs = parts.options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
  }

  /** Resolves with `undefined` when no valid snapshot is stored. Never rejects. */
  async load(signal: AbortSignal): Promise<KnownGood | undefined> {
    try {
      return await untilAborted(this.#parts.options.store.load(), signal);
    } catch (error) {
      if (!signal.aborted) this.#report(error);
      return undefined;
    }
  }

  /** Passes the snapshot to failover if the configuration of its provider has not changed. Must be called before the topology starts. */
  restore(known: KnownGood | undefined): void {
    if (known === undefined || known.snapshot.members.size === 0) return;
    const { registry, failover } = this.#parts;
    const { providerId } = known.snapshot;
    try {
      const isConfigured = registry
        .list()
        .some(({ descriptor }) => toSnapshotSource(descriptor) === known.source);
      if (!isConfigured) {
        const message = `ignored the last known good snapshot: provider "${providerId}" has been removed or reconfigured since it was saved`;
        throw new ProvisioningError("STORE_EXPIRED", message, { details: { providerId } });
      }
      failover.restore({ known, maxAgeMs: this.#maxAgeMs });
    } catch (error) {
      this.#report(error);
    }
  }

  /** Starts to save the newest good snapshot. */
  keep(): void {
    const { options, topology, clock, onError } = this.#parts;
    const { store, saveEveryMs = DEFAULT_SAVE_EVERY_MS } = options;
    this.#keeper = new SnapshotKeeper({
      source: topology,
      store,
      clock,
      confirmation: () => this.#confirmation(),
      saveEveryMs,
      refreshMs: this.#maxAgeMs / 10,
      onError,
    });
  }

  /** Saves the newest snapshot a last time. Resolves with the names of tasks unfinished when the signal aborted. Never rejects. */
  async finish(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#keeper === undefined) return [];
    try {
      await untilAborted(this.#keeper[Symbol.asyncDispose](), signal);
      return [];
    } catch {
      return ["last known good snapshot: a save"];
    }
  }

  #confirmation(): Omit<KnownGood, "snapshot"> | undefined {
    const { registry, failover } = this.#parts;
    const active = failover.health().find(({ isActive }) => isActive);
    const descriptor = active && registry.get(active.providerId)?.descriptor;
    const confirmedAt = active?.confirmedAt;
    if (descriptor === undefined || confirmedAt === undefined) return undefined;
    return { confirmedAt, source: toSnapshotSource(descriptor) };
  }

  #report(error: unknown): void {
    const text = "the last known good snapshot could not be loaded";
    this.#parts.onError(toProvisioningError(error, "STORE_IO", text));
  }
}
