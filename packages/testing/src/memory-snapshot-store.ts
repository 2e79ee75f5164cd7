import type { KnownGood, SnapshotStore } from "@holdfast/core";

/** A snapshot store in memory that fails on request. */
export class MemorySnapshotStore implements SnapshotStore {
  known: KnownGood | undefined;
  /** All saves so far, oldest first. */
  readonly saves: KnownGood[] = [];
  /** While this is set, every load and save rejects with it. */
  failure: unknown;

  async load(): Promise<KnownGood | undefined> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    return this.known;
  }

  async save(known: KnownGood): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.known = known;
    this.saves.push(known);
  }
}
