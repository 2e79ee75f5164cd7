import type { ProviderStore } from "@holdfast/core";

/** Abilities that a harness may lack. The tests that need them are then skipped by name. */
export type StoreAbility = "failNextSave" | "damage";

/** One empty content to store in, and the functions that damage it. */
export interface StoreSetup {
  /** Opens another store on the same content, as after a restart or in another process. */
  open(): Promise<ProviderStore> | ProviderStore;
  /** Makes the next save of any store on this content fail midway. The save after it succeeds. */
  failNextSave?(): Promise<void> | void;
  /** Damages the content so that it cannot be read. */
  damage?(): Promise<void> | void;
  /** Returns the raw stored content. Required with `damage`. */
  contents?(): Promise<string> | string;
  /** Called after every test, passed or failed. */
  teardown(): Promise<void> | void;
}

export interface StoreHarness {
  setup(): Promise<StoreSetup> | StoreSetup;
  /** @defaultValue [] */
  readonly lacks?: readonly StoreAbility[] | undefined;
}
