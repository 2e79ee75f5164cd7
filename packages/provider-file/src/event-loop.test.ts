import { systemClock, type ClusterNodeInput } from "@holdfast/core";
import { expect, test } from "vitest";
import { createMembersReader } from "./members-reader.ts";
import { parseJson } from "./parse-json.ts";
import { createTestProvider } from "../test/create-test-provider.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { toJson } from "../test/topology-json.ts";
import { WatchRecorder } from "../test/watch-recorder.ts";

const MEMBERS = 100_000;

test("a hundred thousand members do not block the event loop", { timeout: 60_000 }, async () => {
  using folder = new TemporaryFolder();
  const nodes = Array.from({ length: MEMBERS }, (_, index) => node(index));
  const text = toJson(nodes);
  folder.write("t.json", text);
  folder.write(
    "next.json",
    toJson(nodes.map((each, index) => (index % 100 === 0 ? { ...each, port: 81 } : each))),
  );
  const atOnceMs = threadMsOf(() => createMembersReader()(parseJson(text)));
  await using watch = new WatchRecorder(createTestProvider({ path: folder.at("t.json") }));
  using turns = new TurnMeter();
  expect((await watch.nextSnapshot()).members.size).toBe(MEMBERS);
  folder.rename("next.json", "t.json");
  expect((await watch.nextSnapshot()).members.get("node-0")?.port).toBe(81);
  // A few milliseconds, plus garbage collection.
  expect(turns.longestMs).toBeLessThan(atOnceMs / 3);
});

function node(index: number): ClusterNodeInput {
  return {
    id: `node-${index}`,
    host: `10.0.0.${index % 250}`,
    port: 80,
    zone: `zone-${index % 3}`,
    tags: ["api", "blue"],
    metadata: { rack: `rack-${index % 40}`, version: "1" },
  };
}

/**
 * Measures the processor time of each turn of the event loop. Unlike a clock, it excludes the time of other processes.
 */
class TurnMeter implements Disposable {
  longestMs = 0;
  #isDisposed = false;

  constructor() {
    void this.#run();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
  }

  async #run(): Promise<void> {
    let last = threadMs();
    while (!this.#isDisposed) {
      await systemClock.yield();
      const now = threadMs();
      this.longestMs = Math.max(this.longestMs, now - last);
      last = now;
    }
  }
}

function threadMsOf(work: () => unknown): number {
  const before = threadMs();
  work();
  return threadMs() - before;
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
