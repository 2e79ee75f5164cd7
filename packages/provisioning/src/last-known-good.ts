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
  /** Receives why a snapshot could not be loaded, restored or saved. */
  readonly onError: (error: ProvisioningError) => void;
}

const DEFAULT_MAX_AGE_MS = 3_600_000;
const DEFAULT_SAVE_EVERY_MS = 10_000;

/**
 * The last known good snapshot of a topology across restarts: loaded and restored at the start, saved while the service runs.
 * Nothing that is wrong with it keeps a service from starting or stopping.
 */
export class LastKnownGood {
  readonly #parts: LastKnownGoodParts;
  readonly #maxAgeMs: number;
  #keeper: SnapshotKeeper | undefined;

  constructor(parts: LastKnownGoodParts) {
    this.#parts = parts;
    this.#maxAgeMs = parts.options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
  }

  /** Undefined when nothing is stored, or what is stored cannot be trusted. Never rejects. */
  async load(signal: AbortSignal): Promise<KnownGood | undefined> {
    try {
      return await untilAborted(this.#parts.options.store.load(), signal);
    } catch (error) {
      if (!signal.aborted) this.#report(error);
      return undefined;
    }
  }

  /** Gives the snapshot to failover, if its provider is still configured in the same way. Call it before the topology starts. */
  restore(known: KnownGood | undefined): void {
    if (known === undefined || known.snapshot.members.size === 0) return;
    const { registry, failover } = this.#parts;
    const { providerId } = known.snapshot;
    try {
      const isConfigured = registry
        .list()
        .some(({ descriptor }) => toSnapshotSource(descriptor) === known.source);
      if (!isConfigured) {
        const message = `ignored the last known good snapshot: provider "${providerId}" is not configured, or not in the same way`;
        throw new ProvisioningError("STORE_EXPIRED", message, { details: { providerId } });
      }
      failover.restore({ known, maxAgeMs: this.#maxAgeMs });
    } catch (error) {
      this.#report(error);
    }
  }

  /** Begins to save the newest good snapshot. */
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

  /** Saves what is new once more. Resolves with what was not finished when the signal aborted. Never rejects. */
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
    const confirmedAt = active?.lastUpdateAt;
    if (descriptor === undefined || confirmedAt === undefined) return undefined;
    return { confirmedAt, source: toSnapshotSource(descriptor) };
  }

  #report(error: unknown): void {
    const text = "the last known good snapshot could not be loaded";
    this.#parts.onError(toProvisioningError(error, "STORE_IO", text));
  }
}
