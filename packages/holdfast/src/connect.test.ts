import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { ProvisioningError } from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import { memory } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ScriptedCatalog } from "../test/scripted-catalog.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import type { ConnectDirectoryOptions } from "./connect-directory.ts";

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

// R7.2, R7.3
test("`discover` starts a topology for each service, with the settings of all topologies", async () => {
  const clock = new VirtualClock();
  const catalog = new ScriptedCatalog();
  catalog.list("A", "orders billing");
  const adapter = { kind: "catalog", createAdapter: catalog.createAdapter };
  const template = memory({ members: [{ ...node("{service}-1"), host: "{service}.test" }] });
  const options: ConnectDirectoryOptions = {
    clock,
    topologies: { fixed: [memory({ members: [node("a")] })] },
    discover: [
      {
        from: [{ adapter, params: { source: "A" } }],
        topology: "shop.{service}",
        providers: [template],
        required: true,
      },
    ],
  };
  const directory = await clock.until(connect(options), 60_000);
  await clock.until(directory.whenPresent("shop.orders"), 1_000);
  await clock.until(directory.ready(), 1_000);
  expect(directory.names()).toEqual(["fixed", "shop.billing", "shop.orders"]);
  expect([...directory.topology("shop.orders").members()].map(({ host }) => host)).toEqual(["orders.test"]);
  await clock.until(directory.close(), 60_000);
  expect(clock.pendingTimers).toBe(0);
});

test("a directory needs neither topologies nor discoveries", async () => {
  const directory = await connect({});
  expect(directory.names()).toEqual([]);
  await directory.ready();
  await directory.close();
});

// R7.1
test("an adapter whose discovery cannot be created is a warning, and the other sources are watched", async () => {
  const clock = new VirtualClock();
  const catalog = new ScriptedCatalog();
  catalog.list("A", "orders");
  const broken = defineAdapter({
    kind: "broken",
    params: z.strictObject({}),
    open: () => {
      throw new Error("not used");
    },
    discovery: {
      params: z.strictObject({}),
      open: () => {
        throw new Error("a bug");
      },
    },
  });
  const warnings: string[] = [];
  const directory = await clock.until(
    connect({
      clock,
      discover: [
        {
          from: [
            { adapter: broken, params: {} },
            { adapter: { kind: "catalog", createAdapter: catalog.createAdapter }, params: { source: "A" } },
          ],
          providers: [memory()],
        },
      ],
      onWarning: ({ code }) => warnings.push(code),
    }),
    60_000,
  );
  await clock.until(directory.whenPresent("orders"), 1_000);
  expect(warnings).toEqual(["LIFECYCLE_INTERNAL"]);
  await clock.until(directory.close(), 60_000);
});
