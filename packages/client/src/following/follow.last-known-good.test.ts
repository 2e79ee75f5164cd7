import { MemorySnapshotStore } from "@holdfast/testing";
import { expect, test } from "vitest";
import { idsOf, nodes, setUpFollow } from "../../test/follow-setup.ts";

test("starts with the last known good snapshot while no daemon answers, and only of the same daemons", async () => {
  const store = new MemorySnapshotStore();
  const lastKnownGood = { store, saveEveryMs: 1_000 };
  const first = setUpFollow({ lastKnownGood });
  first.daemon.publish(nodes("a", "b"));
  await first.clock.advance(5_000);
  await first.end();
  const again = setUpFollow({ lastKnownGood, clock: first.clock });
  again.daemon.mode = "down";
  await first.clock.advance(1_000);
  expect(again.topology.state).toMatchObject({ status: "degraded", isStale: true });
  expect(idsOf(again.topology.members())).toBe("a b");
  await first.clock.until(again.topology.close(), 60_000);
  const other = setUpFollow({ lastKnownGood, daemons: 2, clock: first.clock });
  for (const daemon of other.daemons) daemon.mode = "down";
  await first.clock.advance(1_000);
  expect(other.topology.state.snapshot).toBeUndefined();
  await first.clock.until(other.topology.close(), 60_000);
});
