import { fail, ok, strictEqual } from "node:assert/strict";
import {
  createClusterNode,
  isProvisioningError,
  MemberSet,
  type ClusterNodeInput,
  type ClusterProvider,
  type ProviderEvent,
  type ProviderSnapshot,
  type ProvisioningError,
} from "@holdfast/core";
import type { ProviderAbility, ProviderHarness, ProviderSetup } from "./provider-harness.ts";
import type { SuiteTime } from "./suite-time.ts";
import { WatchRecording } from "./watch-recording.ts";

/** Three nodes, in an order that is neither that of their ids nor that of their numbers. */
export const SAMPLE_NODES: readonly ClusterNodeInput[] = [2, 10, 1].map((number) => sampleNode(number));

/** Made of what every backend can hold: a DNS label as id, an IP address as host. */
export function sampleNode(number: number, change: Partial<ClusterNodeInput> = {}): ClusterNodeInput {
  return {
    id: `node-${number}`,
    host: `10.0.0.${number}`,
    port: 7_000 + number,
    zone: "zone-a",
    weight: number,
    tags: ["api", "blue"],
    metadata: { rack: `rack-${number}`, row: "north" },
    ...change,
  };
}

/** What one test works with: a fresh setup, and the waits and claims the tests share. */
export class ProviderTrial {
  readonly setup: ProviderSetup;
  readonly provider: ClusterProvider;
  readonly time: SuiteTime;
  readonly heartbeatMs: number;
  readonly #recordings: WatchRecording[] = [];

  constructor(setup: ProviderSetup) {
    this.setup = setup;
    this.provider = setup.provider;
    this.time = setup.time;
    this.heartbeatMs = setup.heartbeatMs;
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

  /** A step of the harness that the test needs; `lacks` would have skipped the test. */
  async drive(step: Exclude<ProviderAbility, "countOpen"> | "repairBackend"): Promise<void> {
    if (this.setup[step] === undefined) fail(`the harness neither has "${step}" nor says that it lacks it`);
    await this.setup[step]();
  }

  countOpen(): number {
    return this.setup.countOpen?.() ?? fail(`the harness neither has "countOpen" nor says that it lacks it`);
  }

  watch(): WatchRecording {
    const recording = new WatchRecording({
      provider: this.provider,
      time: this.time,
      patienceMs: this.setup.patienceMs ?? 5_000,
    });
    this.#recordings.push(recording);
    return recording;
  }

  /** A watch that has shown these nodes, which were published before it began. */
  async watchShowing(nodes: readonly ClusterNodeInput[]): Promise<WatchRecording> {
    await this.setup.publish(nodes);
    const recording = this.watch();
    await this.shows(recording, nodes);
    return recording;
  }

  /** Waits for the snapshot of exactly these nodes. */
  shows(recording: WatchRecording, nodes: readonly ClusterNodeInput[]): Promise<ProviderSnapshot> {
    const key = contentKey(this.expected(nodes));
    return recording.waitFor(`the snapshot of ${key}`, () =>
      recording.snapshots.find((snapshot) => contentKey(snapshot.members) === key),
    );
  }

  expected(nodes: readonly ClusterNodeInput[]): MemberSet {
    return MemberSet.from(nodes.map((node) => createClusterNode(this.setup.asSeen?.(node) ?? node)));
  }

  /** Work that needs nothing but its turn. */
  async prompt<T>(what: string, work: PromiseLike<T>): Promise<T> {
    const { slackMs = 0 } = this.time;
    // Work that is too slow fails the test here and may do as it likes later.
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

  /** What the work rejected with, promptly; anything but a `ProvisioningError` fails the test. */
  async rejection(what: string, work: PromiseLike<unknown>): Promise<ProvisioningError> {
    const error = await this.prompt(
      what,
      Promise.resolve(work).then(
        () => fail(`${what} did not reject`),
        (reason: unknown) => reason,
      ),
    );
    ok(isProvisioningError(error), `${what} rejected with something else: ${String(error)}`);
    return error;
  }

  /** Reads on after an abort: the watch has to end quietly, at most `mayCome` events later. */
  async endsQuietly(iterator: AsyncIterator<ProviderEvent>, mayCome: 0 | 1): Promise<void> {
    for (let come = 0; ; come++) {
      const result = await this.prompt("the read after the abort", iterator.next());
      if (result.done === true) return;
      ok(come < mayCome, `an event of type "${result.value.type}" came after the abort`);
    }
  }

  /** Waits for as few open things as there were. */
  async closesDownTo(open: number): Promise<void> {
    const { slackMs = 0 } = this.time;
    // Real sockets and files need a moment after the call that closed them.
    for (let waited = 0; this.countOpen() > open && waited < slackMs; waited += 10) {
      await this.time.advance(10);
    }
    await this.time.advance(0);
    strictEqual(Math.max(this.countOpen(), open), open, "things were left open");
  }
}

/** Tells contents of the suite apart by what even a faulty provider gets right, so that one fault fails one test. */
export function contentKey(nodes: Iterable<ClusterNodeInput>): string {
  const ids = Array.from(nodes, ({ id, host, port }) => `${id}@${host}:${port}`);
  return ids.length === 0 ? "no nodes" : [...new Set(ids)].sort().join(" ");
}
