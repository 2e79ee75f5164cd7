import { describe, expect, test } from "vitest";
import { attackDaemon, type AttackResult } from "../testing/attacked-daemon.ts";

/** R7.6: what readers did is visible in nothing. */
function expectUnharmed(result: AttackResult): void {
  expect(result.doubts).toEqual([]);
  expect(result.broken).toEqual([]);
  expect([result.code, result.err]).toEqual([0, ""]);
  // Measured on a quiet machine: see RELIABILITY.md. This one may be busy, so only the health timeout is the bound here.
  expect(Math.max(...result.readyMs)).toBeLessThan(15_000);
}

// R7.5 R7.6
describe("clients that misuse the endpoints of a daemon", () => {
  test("by every means at once change nothing for the cluster or for other followers", async () => {
    const result = await attackDaemon({
      members: 1_000,
      heapMb: 128,
      changes: 5,
      followers: 3,
      attack: (clients) =>
        clients
          .stalled(40)
          .slow(10)
          .pipelining(5, "/topology")
          .pipelining(2, "/metrics")
          .flooding(10)
          .idle(20),
    });
    expectUnharmed(result);
  });
});
