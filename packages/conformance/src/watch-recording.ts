import { fail } from "node:assert/strict";
import {
  isProvisioningError,
  type ClusterProvider,
  type SourceEvent,
  type ProviderSnapshot,
} from "@holdfast/core";
import type { SuiteTime } from "./suite-time.ts";

export type WatchOutcome =
  | { readonly kind: "running" }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: unknown };

export interface WatchRecordingOptions {
  readonly provider: ClusterProvider;
  readonly time: SuiteTime;
  readonly patienceMs: number;
}

/** Starts a watch at construction, reads it without pause, and records all of its events. */
export class WatchRecording {
  readonly events: SourceEvent[] = [];
  outcome: WatchOutcome = { kind: "running" };
  /** Resolves when the watch has ended or failed. */
  readonly over: Promise<void>;
  readonly #options: WatchRecordingOptions;
  readonly #controller = new AbortController();
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: WatchRecordingOptions) {
    this.#options = options;
    this.over = this.#read();
  }

  get snapshots(): readonly ProviderSnapshot[] {
    return this.events.flatMap((event) => (event.type === "snapshot" ? [event.snapshot] : []));
  }

  abort(): void {
    this.#controller.abort();
  }

  /**
   * Waits until `find` returns something other than `undefined`. It is called after every event and at the end of the
   * watch.
   */
  async waitFor<T>(
    what: string,
    find: () => T | undefined,
    withinMs: number = this.#options.patienceMs,
  ): Promise<T> {
    try {
      return await this.#options.time.until(this.#find(what, find), withinMs);
    } catch (error) {
      if (!isProvisioningError(error)) throw error;
      return fail(`timed out after ${withinMs} ms waiting for ${what}; events: ${this.describe()}`);
    }
  }

  describe(): string {
    const parts = this.events.map((event) =>
      event.type === "snapshot" ? `snapshot of ${event.snapshot.members.size}` : event.type,
    );
    const { outcome } = this;
    if (outcome.kind !== "running") {
      parts.push(outcome.kind === "failed" ? `error ${String(outcome.error)}` : "end");
    }
    return parts.length === 0 ? "nothing" : parts.join(", ");
  }

  async #find<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.outcome.kind !== "running")
        fail(`the watch is over without ${what}; events: ${this.describe()}`);
      await this.#change.promise;
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.#options.provider.watch({ signal: this.#controller.signal })) {
        this.events.push(event);
        this.#wake();
      }
      this.outcome = { kind: "ended" };
    } catch (error) {
      this.outcome = { kind: "failed", error };
    }
    this.#wake();
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
