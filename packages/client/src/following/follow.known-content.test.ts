import { MemorySnapshotStore, VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { idsOf, node, nodes, setUpFollow } from "../../test/follow-setup.ts";

const many = Array.from({ length: 500 }, (_, i) => node(`n${i}`));
const haveOf = ({ url }: { readonly url: string }) => new URL(url).searchParams.get("have");

/** Removes the members from every state. */
const withoutMembers = (frame: string) => frame.replace(/,"members":\[.*\](?=\}\n)/, "");

// R7.4
describe("content that the follower has already", () => {
  test("is not sent again by a daemon that was restarted, and is verified all the same", async () => {
    const { clock, daemon, topology, events, end } = setUpFollow();
    daemon.publish(many);
    await clock.settle();
    const { hash, members } = topology.state.snapshot!;
    expect(daemon.stateLength).toBeGreaterThan(10_000);
    daemon.stateLength = 0;
    daemon.restart();
    daemon.publish(many);
    await clock.advance(30_000);
    expect(daemon.requests.map(haveOf)).toEqual([null, hash]);
    expect(daemon.stateLength).toBeLessThan(1_000);
    expect(topology.state).toMatchObject({ status: "ready", isStale: false, snapshot: { hash } });
    expect(topology.members()).toBe(members);
    daemon.publish([...many, node("new")]);
    await clock.settle();
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    expect(events.filter(({ kind }) => kind === "snapshot")).toHaveLength(2);
    await end();
  });

  test("is not sent again by another daemon with equal content", async () => {
    const { clock, daemons, topology, end } = setUpFollow({ daemons: 2 });
    for (const daemon of daemons) daemon.publish(many);
    await clock.advance(30_000);
    daemons[0]!.mode = "down";
    daemons[0]!.disconnect();
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "ready", snapshot: { providerId: "two" } });
    expect(topology.members().size).toBe(500);
    expect(daemons[1]!.stateLength).toBeLessThan(1_000);
    await end();
  });

  test("is not sent again to a follower that was restarted with its last known good snapshot", async () => {
    const clock = new VirtualClock();
    const store = new MemorySnapshotStore();
    const lastKnownGood = { store, saveEveryMs: 1_000 };
    const first = setUpFollow({ lastKnownGood, clock });
    first.daemon.publish(many);
    await clock.advance(5_000);
    await first.end();
    const again = setUpFollow({ lastKnownGood, clock });
    again.daemon.publish(many);
    await clock.advance(5_000);
    expect(again.topology.state).toMatchObject({ status: "ready", isStale: false });
    expect(again.topology.members().size).toBe(500);
    expect(again.daemon.stateLength).toBeLessThan(1_000);
    await again.end();
  });

  test("is sent when it differs in one member or one block", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(many);
    await clock.settle();
    daemon.restart();
    daemon.publish([...many.slice(1), node("n0", 81)]);
    await clock.advance(30_000);
    expect(topology.members().get("n0")?.port).toBe(81);
    daemon.restart();
    daemon.publish([...many.slice(1), node("n0", 81)]);
    daemon.hub.block("n7");
    await clock.advance(30_000);
    expect(topology.state.snapshot).toMatchObject({
      blockedNodes: ["n7"],
      hash: daemon.hub.state.snapshot?.hash,
    });
    await end();
  });

  test.each<[string, (frame: string) => string]>([
    [
      "of another hash",
      (frame) => withoutMembers(frame).replace(/"hash":"\w+"/, `"hash":"${"0".repeat(16)}"`),
    ],
    ["of another number", (frame) => withoutMembers(frame).replace(/"memberCount":\d+/, '"memberCount":7')],
    ["that differ", withoutMembers],
  ])("a state without members %s is not believed: the whole state is read again", async (_, tamper) => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a", "b"));
    await clock.settle();
    daemon.restart();
    daemon.publish(nodes("a", "c"));
    let isFirst = true;
    daemon.tamper = (frame) => {
      if (!isFirst || !frame.includes("event: state\n")) return frame;
      isFirst = false;
      return tamper(frame);
    };
    await clock.advance(60_000);
    expect(isFirst).toBe(false);
    expect(daemon.requests.map((request) => haveOf(request) !== null)).toEqual([false, true, false]);
    expect(idsOf(topology.members())).toBe("a c");
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    await end();
  });
});
