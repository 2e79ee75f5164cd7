import type { Update, UpdateRun, UpdateSource } from "@holdfast/core";

const QUIET: Update = {
  snapshot: undefined,
  isFresh: false,
  availability: "available",
  reason: "scripted",
  health: [],
  holds: [],
};

/** A source of updates for a hub, instead of a failover. A test sends the updates one by one. */
export class ScriptedUpdates implements UpdateSource {
  #run: UpdateRun | undefined;
  #end: PromiseWithResolvers<void> | undefined;
  #last = QUIET;

  /**
   * Resolves at `end`, or once the signal aborts. Updates sent after that are still passed on, as a careless source
   * would do.
   */
  run(run: UpdateRun): Promise<void> {
    this.#run = run;
    const end = Promise.withResolvers<void>();
    this.#end = end;
    run.signal.addEventListener("abort", () => end.resolve(), { once: true });
    return end.promise;
  }

  /**
   * Sends an update. Fields that `changes` leaves out keep the value of the last update, or are empty if they describe
   * one moment only (`isFresh`, `health`, `switched`).
   */
  send(changes: Partial<Update>): void {
    const { snapshot, availability, reason, holds } = this.#last;
    this.#last = { ...QUIET, snapshot, availability, reason, holds, ...changes };
    this.#run?.onUpdate(this.#last);
  }

  /** Ends the run by itself. */
  end(): void {
    this.#end?.resolve();
  }

  /** Fails the run. */
  fail(error: unknown): void {
    this.#end?.reject(error);
  }
}
