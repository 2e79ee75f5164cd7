import { ProvisioningError } from "@holdfast/core";
import type { ProviderSet } from "./provider-set.ts";

export interface PreparedChangeSteps {
  readonly set: ProviderSet;
  readonly isChanged: boolean;
  readonly save: () => Promise<void>;
  readonly revert: () => Promise<void>;
  readonly apply: () => void;
  /** Disposes of the new instances. */
  readonly discard: () => void;
}

/**
 * A change of a registry that was checked and proven, but is not in force. Call `save`, then `apply`. Until `apply` or the disposal no other
 * change of the registry runs, so one of them must be called. The disposal has no effect after `apply`. During a
 * save it lets the save finish, and then saves the set in force again.
 */
export class PreparedChange implements Disposable {
  /** The set that `apply` brings into force. */
  readonly set: ProviderSet;
  /** False when the set in force is already this one. */
  readonly isChanged: boolean;
  /** Resolves when the change was applied or disposed of. */
  readonly over: Promise<void>;
  readonly #steps: PreparedChangeSteps;
  readonly #end: () => void;
  /** The save or revert in progress. */
  #work: Promise<void> = Promise.resolve();
  #isSaving = false;
  #isOver = false;

  constructor(steps: PreparedChangeSteps) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.set = steps.set;
    this.isChanged = steps.isChanged;
    this.over = promise;
    this.#end = resolve;
    this.#steps = steps;
  }

  /** Saves the set. Rejects with a `STORE_*` error; the store then holds the set in force, unless a warning reports otherwise. */
  async save(): Promise<void> {
    this.#assertOpen();
    this.#isSaving = true;
    this.#work = this.#steps.save().finally(() => (this.#isSaving = false));
    await this.#work;
  }

  /** After `save`: saves the set in force again, because this change will not be applied. A failure causes a warning. Never rejects. */
  async revert(): Promise<void> {
    this.#work = this.#steps.revert();
    await this.#work;
  }

  /** Brings the set into force. Throws `LIFECYCLE_STOPPED` when the registry was disposed of. */
  apply(): ProviderSet {
    this.#assertOpen();
    this.#isOver = true;
    this.#end();
    this.#steps.apply();
    return this.set;
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#steps.discard();
    void this.#endAfterWork();
  }

  /** The next change must not run during a save. A save that succeeds after the disposal has stored a set that is not in force. */
  async #endAfterWork(): Promise<void> {
    const wasSaving = this.#isSaving;
    try {
      await this.#work;
      if (wasSaving) await this.#steps.revert();
    } catch {
      // The caller of `save` has received the error.
    } finally {
      this.#end();
    }
  }

  #assertOpen(): void {
    if (this.#isOver) throw new ProvisioningError("LIFECYCLE_STOPPED", "the change was disposed of");
  }
}
