import type { Update, UpdateRun, UpdateSource } from "@holdfast/core";

const QUIET: Update = {
  snapshot: undefined,
  isFresh: false,
  availability: "available",
  reason: "scripted",
  health: [],
  holds: [],
};

/** A source of updates for a hub, in the place of failover: a test writes the updates one by one. */
export class ScriptedUpdates implements UpdateSource {
  #run: UpdateRun | undefined;
  #end: PromiseWithResolvers<void> | undefined;
  #last = QUIET;

  /** Resolves at `end`, or once the signal aborts. What is sent after that is passed on all the same, as by a careless source. */
  run(run: UpdateRun): Promise<void> {
    this.#run = run;
    const end = Promise.withResolvers<void>();
    this.#end = end;
    run.signal.addEventListener("abort", () => end.resolve(), { once: true });
    return end.promise;
  }

  /** Sends an update. What `changes` leaves out and belongs to one moment is absent; the rest is as in the update before. */
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
