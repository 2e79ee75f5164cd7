import { fail, ok, strictEqual } from "node:assert/strict";
import {
  createClusterNode,
  isProvisioningError,
  MemberSet,
  type ClusterNodeInput,
  type ClusterProvider,
  type SourceEvent,
  type ProviderSnapshot,
  type ProvisioningError,
} from "@holdfast/core";
import type { ProviderAbility, ProviderHarness, ProviderSetup } from "./provider-harness.ts";
import { contentKey } from "./sample-nodes.ts";
import type { SuiteTime } from "./suite-time.ts";
import { WatchRecording } from "./watch-recording.ts";

/** Registers a test that needs certain abilities of the harness. */
export type DefineProviderTest = (
  name: string,
  needs: readonly ProviderAbility[],
  body: (trial: ProviderTrial) => Promise<void>,
) => void;

/** The context of one test: a fresh setup, and the waits and assertions that the tests share. */
export class ProviderTrial {
  readonly setup: ProviderSetup;
  readonly provider: ClusterProvider;
  readonly time: SuiteTime;
  readonly heartbeatMs: number;
  readonly #patienceMs: number;
  readonly #recordings: WatchRecording[] = [];

  constructor(setup: ProviderSetup) {
    this.setup = setup;
    this.provider = setup.provider;
    this.time = setup.time;
    this.heartbeatMs = setup.heartbeatMs;
    this.#patienceMs = setup.patienceMs ?? 5_000;
  }

  static async run(harness: ProviderHarness, body: (trial: ProviderTrial) => Promise<void>): Promise<void> {
    const trial = new ProviderTrial(await harness.setup());
    try {
      await body(trial);
    } finally {
      for (const recording of trial.#recordings) recording.abort();
      await trial.setup.teardown();
    }
  }

  /** Performs a step of the harness. If it is in `lacks`, the test was skipped before. */
  async drive(step: Exclude<ProviderAbility, "countOpen"> | "repairBackend"): Promise<void> {
    if (this.setup[step] === undefined) fail(`the harness neither has "${step}" nor lists it in "lacks"`);
    await this.setup[step]();
  }

  countOpen(): number {
    return this.setup.countOpen?.() ?? fail(`the harness neither has "countOpen" nor lists it in "lacks"`);
  }

  watch(): WatchRecording {
    const recording = new WatchRecording({
      provider: this.provider,
      time: this.time,
      patienceMs: this.#patienceMs,
    });
    this.#recordings.push(recording);
    return recording;
  }

  /** Publishes these nodes, starts a watch, and waits for their snapshot. */
  async watchShowing(nodes: readonly ClusterNodeInput[]): Promise<WatchRecording> {
    await this.setup.publish(nodes);
    const recording = this.watch();
    await this.shows(recording, nodes);
    return recording;
  }

  /** Starts a watch without a recording, and reads it up to its first snapshot. */
  async openWatch(signal: AbortSignal): Promise<AsyncIterator<SourceEvent>> {
    const iterator = this.provider.watch({ signal })[Symbol.asyncIterator]();
    await this.time.until(readSnapshot(iterator), this.#patienceMs);
    return iterator;
  }

  /** Leaves the watch as a consumer does that breaks out of its loop. */
  async leave(iterator: AsyncIterator<SourceEvent>): Promise<void> {
    await this.prompt("the return of the watch", Promise.resolve(iterator.return?.()));
  }

  /** Waits for a snapshot of exactly these nodes. */
  shows(recording: WatchRecording, nodes: readonly ClusterNodeInput[]): Promise<ProviderSnapshot> {
    const key = contentKey(this.expected(nodes));
    return recording.waitFor(`the snapshot of ${key}`, () =>
      recording.snapshots.find((snapshot) => contentKey(snapshot.members) === key),
    );
  }

  expected(nodes: readonly ClusterNodeInput[]): MemberSet {
    return MemberSet.from(nodes.map((node) => createClusterNode(this.setup.asSeen?.(node) ?? node)));
  }

  /** Awaits work that should settle without waiting for anything else, at most for `slackMs`. */
  async prompt<T>(what: string, work: PromiseLike<T>): Promise<T> {
    const { slackMs = 0 } = this.time;
    // Work that is too slow fails the test here; its later result is ignored.
    const settled = Promise.resolve(work).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const result = await this.time
      .until(settled, slackMs)
      .catch(() => fail(`${what} is still pending after ${slackMs} ms`));
    if ("error" in result) throw result.error;
    return result.value;
  }

  /**
   * Returns the error that the work rejects with, at most after `slackMs`. Anything but a `ProvisioningError` fails the
   * test.
   */
  async rejection(what: string, work: PromiseLike<unknown>): Promise<ProvisioningError> {
    const error = await this.prompt(
      what,
      Promise.resolve(work).then(
        () => fail(`${what} did not reject`),
        (reason: unknown) => reason,
      ),
    );
    return asProvisioningError(what, error);
  }

  /** Reads once more after an abort: the watch must end without another event or an error. */
  async isOver(iterator: AsyncIterator<SourceEvent>): Promise<void> {
    const result = await this.prompt("the read after the abort", iterator.next());
    if (result.done !== true) fail(`an event of type "${result.value.type}" came after the abort`);
  }

  /** Waits until no more than `open` resources are open. */
  async closesDownTo(open: number): Promise<void> {
    const { slackMs = 0 } = this.time;
    // Real sockets and files need a moment after the call that closed them.
    for (let waited = 0; this.countOpen() > open && waited < slackMs; waited += 10) {
      await this.time.advance(10);
    }
    await this.time.advance(0);
    strictEqual(Math.max(this.countOpen(), open), open, "resources were left open");
  }
}

export function asProvisioningError(what: string, error: unknown): ProvisioningError {
  ok(
    isProvisioningError(error),
    `${what} failed with an error that is not a ProvisioningError: ${String(error)}`,
  );
  return error;
}

async function readSnapshot(iterator: AsyncIterator<SourceEvent>): Promise<void> {
  for (;;) {
    const result = await iterator.next();
    if (result.done === true) fail("the watch ended before its first snapshot");
    if (result.value.type === "snapshot") return;
  }
}
