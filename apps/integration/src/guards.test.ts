import { ProvisioningError } from "@holdfast/core";
import { expect, test } from "vitest";
import { memory, node, ServiceHarness } from "./service-harness.ts";

const NO = new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no");

function lose(h: ServiceHarness, id: string): void {
  h.provider(id).refuse(NO);
  h.provider(id).end();
}

const kinds = (h: ServiceHarness) => h.remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`);

test("a failover to a provider with equal content causes neither a leave nor a join", async () => {
  // R4.1
  const members = [node("a"), node("b")];
  const h = await ServiceHarness.started([memory("primary", 2, members), memory("backup", 1, members)]);
  const before = kinds(h);
  const ticks = h.partition.ticks.length;
  lose(h, "primary");
  await h.clock.advance(60_000);
  expect(h.service.topology.state.snapshot?.providerId).toBe("backup");
  expect(kinds(h)).toEqual(before);
  expect(h.partition.ticks).toHaveLength(ticks);
  await h.stop();
});

test("the join of each retained member is sent as soon as the new provider lists it", async () => {
  // R4.3: the joins were held back, because the snapshot with these members was late.
  const h = await ServiceHarness.started(
    [memory("primary", 2, [node("b")]), memory("backup", 1, [node("b")])],
    {
      guards: { removalDwellMs: 3_600_000 },
    },
  );
  const late = { observedAt: h.clock.now() - 60_000 };
  h.provider("backup").refuse(NO);
  h.provider("backup").end();
  await h.clock.settle();
  h.provider("primary").set([node("a"), node("b"), node("c")], late);
  await h.clock.settle();
  expect(h.status).toBe("degraded");
  lose(h, "primary");
  h.provider("backup").recover();
  await h.clock.advance(60_000);
  expect([h.status, h.service.topology.state.snapshot?.retained]).toEqual(["degraded", ["a", "c"]]);
  expect(kinds(h)).toEqual(["join b"]);
  h.provider("backup").set([node("a"), node("b")]);
  await h.clock.settle();
  expect(kinds(h)).toEqual(["join b", "join a"]);
  h.provider("backup").set([node("a"), node("b"), node("c")]);
  await h.clock.settle();
  expect(kinds(h)).toEqual(["join b", "join a", "join c"]);
  await h.stop();
});

test("a failover to a standby with fewer members sends their leaves only after the removal dwell", async () => {
  // R2.5 R4.1
  const h = await ServiceHarness.started([
    memory("primary", 2, [node("a"), node("b"), node("c")]),
    memory("backup", 1, [node("a"), node("d")]),
  ]);
  lose(h, "primary");
  await h.clock.settle();
  expect(kinds(h).slice(3)).toEqual(["join d"]);
  await h.clock.advance(9_999);
  expect(kinds(h).slice(3)).toEqual(["join d"]);
  await h.clock.advance(1);
  expect(kinds(h).slice(3)).toEqual(["join d", "leave b", "leave c"]);
  expect(h.placement.notices.filter(({ kind }) => kind === "guard_changed")).toMatchObject([
    { isHolding: true, guard: "removal_dwell", nodes: 2 },
    { isHolding: false, guard: "removal_dwell" },
  ]);
  await h.stop();
});

test("a genuine scale-down to zero is degraded with a reason during the hold, and then empty", async () => {
  // R2.4
  const members = Array.from({ length: 10 }, (_, i) => node(`n${i}`));
  const h = await ServiceHarness.started([memory("primary", 1, members)], {
    guards: { massRemoval: { when: "always", holdMs: 30_000 } },
  });
  h.provider("primary").set([]);
  await h.clock.settle();
  expect([h.status, h.service.topology.state.statusReason]).toEqual([
    "degraded",
    expect.stringMatching(/dropped 10 of 10 members at once/),
  ]);
  expect(h.service.topology.state.holds).toMatchObject([{ guard: "mass_removal", nodes: 10 }]);
  await h.clock.advance(30_000);
  expect(h.status).toBe("empty");
  expect(kinds(h).filter((kind) => kind.startsWith("leave"))).toHaveLength(10);
  await h.stop();
});
