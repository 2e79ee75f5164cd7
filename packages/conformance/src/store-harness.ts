import type { ProviderStore } from "@holdfast/core";

/** What a harness may be unable to do. The tests that need it are then skipped by name. */
export type StoreAbility = "failNextSave" | "damage";

/** One empty place to store in, and the means to spoil it. */
export interface StoreSetup {
  /** Another store on the same place, as after a restart or in another process. */
  open(): Promise<ProviderStore> | ProviderStore;
  /** The next save fails half-way, whichever store does it; the one after it works again. */
  failNextSave?(): Promise<void> | void;
  /** Spoils what is stored so that it cannot be read. */
  damage?(): Promise<void> | void;
  /** What is stored, as it lies there. Needed with `damage`. */
  contents?(): Promise<string> | string;
  /** Called after every test, whatever became of it. */
  teardown(): Promise<void> | void;
}

export interface StoreHarness {
  setup(): Promise<StoreSetup> | StoreSetup;
  /** @defaultValue [] */
  readonly lacks?: readonly StoreAbility[] | undefined;
}
