import * as fc from "fast-check";
import { expect, test } from "vitest";
import { node, nodes, setUpFollow } from "../../test/follow-setup.ts";

// R7.4: for any run of content, blocks, broken connections and restarts.
test("the follower ends with the members, blocks and hash of the daemon, and its own log replays to them", async () => {
  const ids = ["a", "b", "c", "d"];
  const step = fc.oneof(
    fc.record({
      what: fc.constant("publish" as const),
      ids: fc.subarray(ids),
      port: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ what: fc.constantFrom("block" as const, "restore" as const), id: fc.constantFrom(...ids) }),
    fc.record({
      what: fc.constantFrom<"disconnect" | "restart" | "hang" | "wait" | "stale">(
        "disconnect",
        "restart",
        "hang",
        "wait",
        "stale",
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { clock, daemon, topology, events, end } = setUpFollow({
        retainedEvents: 4,
        guards: { massRemoval: false },
      });
      for (const s of steps) {
        if (s.what === "publish") daemon.publish(s.ids.map((id) => node(id, s.port)));
        else if (s.what === "block") daemon.hub.block(s.id);
        else if (s.what === "restore") daemon.hub.restore(s.id);
        else if (s.what === "disconnect") daemon.disconnect();
        else if (s.what === "restart") daemon.restart();
        else if (s.what === "stale") daemon.updates.send({ availability: "degraded", reason: "stale" });
        else if (s.what === "wait") await clock.advance(3_000);
        else {
          daemon.mode = "hanging";
          await clock.advance(20_000);
          daemon.mode = "up";
        }
        await clock.settle();
      }
      daemon.publish(nodes("z"));
      await clock.advance(90_000);
      expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
      expect(topology.state.snapshot?.blockedNodes).toEqual(daemon.hub.state.snapshot?.blockedNodes);
      expect(topology.state).toMatchObject({ status: "ready", isStale: false });
      let hash: string | undefined;
      for (const event of events) {
        if (event.kind !== "snapshot") continue;
        expect(event.previousHash).toBe(hash);
        ({ hash } = event.snapshot);
      }
      expect(hash).toBe(daemon.hub.state.snapshot?.hash);
      await end();
    }),
    { numRuns: 60 },
  );
});
