import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { ProvisioningError } from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import { memory } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { connect, type ConnectOptions } from "./connect.ts";

const node = (id: string) => ({ id, host: `${id}.test`, port: 7000 });

async function connected(options: ConnectOptions) {
  const clock = new VirtualClock();
  const topology = await clock.until(connect({ clock, random: createSeededRandom(1), ...options }), 60_000);
  return { clock, topology };
}

// R7.3
describe("connect", () => {
  test("reads members, follows changes, fails over and explains", async () => {
    const primary = memory({ members: [node("b"), node("a")] }, { id: "primary" });
    const backup = memory({ members: [node("a"), node("b")] }, { id: "backup" });
    const { clock, topology } = await connected({ providers: [primary, backup] });
    expect((await clock.until(topology.ready(), 1_000)).providerId).toBe("primary");
    expect([...topology.members()].map(({ id }) => id)).toEqual(["a", "b"]);
    expect(topology.health().map(({ providerId, health }) => [providerId, health])).toEqual([
      ["primary", "healthy"],
      ["backup", "healthy"],
    ]);
    expect(topology.explain("a")).toMatchObject({ standing: "in" });

    primary.provider.set([node("a"), node("b"), node("c")]);
    await clock.settle();
    expect(topology.members().size).toBe(3);

    const switched = topology.waitFor(({ snapshot }) => snapshot?.providerId === "backup");
    primary.provider.end();
    expect((await clock.until(switched, 60_000)).snapshot?.providerId).toBe("backup");
    await clock.until(topology.close(), 60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test("`eventsSince` returns at most `limit` events", async () => {
    const { clock, topology } = await connected({ providers: [memory({ members: [node("a")] })] });
    await clock.until(topology.ready(), 1_000);
    const { epoch } = topology.state;
    expect(topology.eventsSince(epoch, 0, 2)?.map(({ seqNo }) => seqNo)).toEqual([1, 2]);
    expect(topology.eventsSince(epoch, 0)?.length).toBe(topology.state.seqNo);
    await clock.until(topology.close(), 60_000);
  });

  test("an override and a block take effect", async () => {
    const members = [node("a"), node("b")];
    const specs = [memory({ members }, { id: "primary" }), memory({ members }, { id: "backup" })];
    const { clock, topology } = await connected({ providers: specs });
    await clock.until(topology.ready(), 1_000);
    topology.override("backup");
    await clock.settle();
    expect(topology.state.snapshot?.providerId).toBe("backup");
    expect(topology.block("a")).toBe(true);
    expect(topology.state.snapshot?.blockedNodes).toEqual(["a"]);
    expect(topology.restore("a")).toBe(true);
    expect(topology.acceptRemovals()).toBe(false);
    await clock.until(topology[Symbol.asyncDispose](), 60_000);
  });

  test("`members()` throws instead of returning an empty list when the topology is unknown or empty", async () => {
    const spec = memory();
    const { clock, topology } = await connected({ providers: [spec] });
    await clock.settle();
    expect(() => topology.members()).toThrow("TOPOLOGY_EMPTY");
    await clock.until(topology.close(), 60_000);
    expect(() => topology.members()).toThrow("LIFECYCLE_STOPPED");
  });

  test("a backend that refuses the connection at the start causes a warning, and the next provider takes over", async () => {
    const refused = new ProvisioningError("CONNECTIVITY_REFUSED", "10.0.0.1:8500 refused the connection");
    const refusing = defineAdapter({
      kind: "refusing",
      params: z.strictObject({}),
      open: () => ({
        probe: () => Promise.reject(refused),
        // oxlint-disable-next-line require-yield -- it throws instead of yielding
        async *watch() {
          throw refused;
        },
      }),
    });
    const warnings: string[] = [];
    const { clock, topology } = await connected({
      providers: [refusing({}), memory({ members: [node("a")] })],
      onWarning: ({ code, providerId }) => warnings.push(`${providerId} ${code}`),
    });
    expect(warnings).toEqual(["refusing CONNECTIVITY_REFUSED"]);
    expect((await clock.until(topology.ready(), 60_000)).providerId).toBe("memory");
    await clock.until(topology.close(), 60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test("rejects invalid parameters, names every problem, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const bad = memory({ members: [{ id: "", host: "a.test", port: 0 }] });
    const connecting = connect({ clock, providers: [bad] });
    await expect(clock.until(connecting, 60_000)).rejects.toMatchObject({
      code: expect.stringMatching(/^VALIDATION_/),
      details: {
        problems: [
          expect.objectContaining({ path: "providers[0].params.members[0].id" }),
          expect.objectContaining({ path: "providers[0].params.members[0].port" }),
        ],
      },
    });
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });
});
