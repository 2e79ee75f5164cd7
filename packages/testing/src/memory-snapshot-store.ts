import type { KnownGood, SnapshotStore } from "@holdfast/core";

/** A snapshot store that lasts as long as the process, and fails when told to. */
export class MemorySnapshotStore implements SnapshotStore {
  /** What is stored. */
  known: KnownGood | undefined;
  /** What has been saved so far, oldest first. */
  readonly saves: KnownGood[] = [];
  /** What every load and save rejects with, as long as it is set. */
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
