import { TestEventSource } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import { serveHub, type ServedHub } from "../../test/served-hub.ts";
import { MAX_LISTED_NOT_READY } from "./server-limits.ts";

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read arbitrary fields
  readonly body: any;
}

async function get(served: ServedHub, path: string): Promise<Answer> {
  const response = await fetch(`${served.server.url}${path}`);
  return { status: response.status, body: await response.json() };
}

/** A server with the topologies `default`, which has a member, `orders` and `billing`, which is not required. */
async function serveThree() {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serveHub());
  const orders = stack.use(served.addTopology("orders"));
  const billing = stack.use(served.addTopology("billing", { isRequired: false }));
  await served.set("a");
  return { served, orders, billing, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

// R7.1
describe("several topologies", () => {
  test("are listed by name, without their members", async () => {
    await using three = await serveThree();
    const { served, orders } = three;
    await orders.set("o1", "o2");
    const { hash } = orders.hub.state.snapshot!;
    expect(await get(served, "/topologies")).toMatchObject({
      status: 200,
      body: {
        topologies: [
          { name: "billing", status: "starting", isRequired: false, memberCount: 0, hash: null, seqNo: 0 },
          { name: "default", status: "ready", isRequired: true, memberCount: 1, seqNo: 2 },
          { name: "orders", status: "ready", reason: '"primary" is current', memberCount: 2, hash },
        ],
      },
    });
    expect((await get(served, "/topologies")).body.topologies[0]).not.toHaveProperty("members");
  });

  test("have endpoints of their own, and the default one has the short ones", async () => {
    await using three = await serveThree();
    const { served, orders } = three;
    await orders.set("o1");
    const idsAt = async (path: string) =>
      (await get(served, path)).body.members.map(({ id }: { id: string }) => id);
    expect(await idsAt("/topologies/orders")).toEqual(["o1"]);
    expect(await idsAt("/topologies/default")).toEqual(["a"]);
    expect(await idsAt("/topology")).toEqual(["a"]);
    expect((await get(served, "/topologies/orders/explain?node=o1")).body).toMatchObject({
      standing: "in",
    });
    expect((await get(served, "/explain?node=o1")).body.standing).not.toBe("in");
    expect((await get(served, "/topologies/orders/health/providers")).body).toEqual({
      epoch: orders.hub.epoch,
      seqNo: 2,
      providers: [],
    });
    expect((await get(served, "/topologies/orders/health/nodes")).body).toMatchObject({
      seqNo: 2,
      nodes: [],
    });
    await using client = await TestEventSource.open(served.server.url, { path: "/topologies/orders/events" });
    await orders.set("o1", "o2");
    expect(await client.take(2)).toMatchObject([
      { event: "state", id: `${orders.hub.epoch}:2`, data: { members: [{ id: "o1" }] } },
      { event: "snapshot", id: `${orders.hub.epoch}:3`, data: { delta: { added: [{ id: "o2" }] } } },
    ]);
  });

  test.each(["", "/events", "/explain?node=a", "/health/providers", "/health/nodes"])(
    "/topologies/NAME%s of an unknown name is 404 and lists known names",
    async (path) => {
      await using three = await serveThree();
      expect(await get(three.served, `/topologies/orderz${path}`)).toEqual({
        status: 404,
        body: {
          error: {
            code: "TOPOLOGY_UNKNOWN",
            message: '[TOPOLOGY_UNKNOWN] no topology is called "orderz"; known are billing, default, orders',
          },
        },
      });
    },
  );

  test.each(["%00", "a%20b", "..%2f..", "x".repeat(200), "%f0%9f%98%80"])(
    "a name of another form is not repeated: %s",
    async (name) => {
      await using served = await serveHub();
      expect(await get(served, `/topologies/${name}`)).toMatchObject({
        status: 404,
        body: {
          error: { code: "TOPOLOGY_UNKNOWN", message: expect.stringContaining("no topology has such") },
        },
      });
    },
  );

  test("without a default one, the short paths list the known names", async () => {
    await using three = await serveThree();
    three.served.directory.remove("default");
    for (const path of ["/topology", "/events", "/explain?node=a", "/health/providers", "/health/nodes"])
      expect([path, await get(three.served, path)]).toMatchObject([
        path,
        {
          status: 404,
          body: {
            error: {
              code: "TOPOLOGY_UNKNOWN",
              message:
                '[TOPOLOGY_UNKNOWN] no topology is called "default", so the path must name one: /topologies/NAME; known are billing, orders',
            },
          },
        },
      ]);
  });

  test("are named in part when there are many, and when there are none", async () => {
    await using served = await serveHub();
    for (let index = 10; index < 40; index++) served.directory.add(`t${index}`, served.view);
    expect((await get(served, "/topologies/x")).body.error.message).toBe(
      '[TOPOLOGY_UNKNOWN] no topology is called "x"; known are default, t10, t11, t12, t13, t14, t15, t16, t17, t18 and 21 more (see /topologies)',
    );
    for (const name of served.directory.names()) served.directory.remove(name);
    expect((await get(served, "/topologies/x")).body.error.message).toContain("there are no topologies");
    expect((await get(served, "/topologies")).body).toEqual({ topologies: [] });
  });

  test("one that disappears ends its streams with its last event, and the others go on", async () => {
    await using three = await serveThree();
    const { served, billing } = three;
    await billing.set("b");
    await using client = await TestEventSource.open(served.server.url, {
      path: "/topologies/billing/events",
    });
    await using other = await TestEventSource.open(served.server.url);
    await client.take(1);
    await other.take(1);
    billing.hub.drain("removed from the configuration");
    served.directory.remove("billing");
    expect(await client.rest()).toMatchObject([{ event: "status_changed", data: { to: "draining" } }]);
    await served.set("a", "c");
    expect(await other.next()).toMatchObject({ event: "snapshot" });
  });
});

// R7.1
describe("one stream of several topologies", () => {
  test("follows those that exist; one that does not is gone at first, and its state follows when it appears", async () => {
    await using three = await serveThree();
    const { served, orders } = three;
    await orders.set("o1");
    const path = "/events?topology=late&topology=orders";
    await using client = await TestEventSource.open(served.server.url, { path });
    expect(await client.next()).toMatchObject({ event: "state", id: `orders@${orders.hub.epoch}/2` });
    expect(client.notes).toMatchObject([
      { event: "gone", data: { topology: "late" } },
      { event: "via", data: { topology: "orders" } },
    ]);
    await using late = served.addTopology("late");
    await late.set("l1");
    expect((await client.next())?.id).toMatch(/^late@/);
    await orders.set("o1", "o2");
    expect(await client.next()).toMatchObject({ event: "snapshot", id: `orders@${orders.hub.epoch}/3` });
  });

  test("is 404 when none of them exists", async () => {
    await using three = await serveThree();
    expect(await get(three.served, "/events?topology=x&topology=y")).toMatchObject({
      status: 404,
      body: { error: { code: "TOPOLOGY_UNKNOWN" } },
    });
  });
});

// R7.1
describe("/readyz of several topologies", () => {
  test("waits for every required one, and never for the others", async () => {
    await using three = await serveThree();
    const { served, orders, billing } = three;
    expect(await get(served, "/readyz")).toMatchObject({
      status: 503,
      body: {
        status: "ready",
        isReady: false,
        notReadyCount: 2,
        notReady: [
          {
            name: "orders",
            isRequired: true,
            status: "starting",
            reason: "no snapshot has been received yet",
          },
          { name: "billing", isRequired: false, status: "starting" },
        ],
      },
    });
    await orders.set("o1");
    expect(await get(served, "/readyz")).toMatchObject({
      status: 200,
      body: { isReady: true, notReadyCount: 1, notReady: [{ name: "billing", isRequired: false }] },
    });
    await billing.set("b1");
    expect(await get(served, "/readyz")).toMatchObject({
      status: 200,
      body: { notReadyCount: 0, notReady: [] },
    });
    await orders.set();
    expect(await get(served, "/readyz")).toMatchObject({
      status: 503,
      body: { notReady: [{ name: "orders", status: "empty" }] },
    });
  });

  // R7.2
  test("waits until the topologies that are discovered are known", async () => {
    await using three = await serveThree();
    const { served, orders } = three;
    await orders.set("o1");
    served.directory.isDiscovered = false;
    expect(await get(served, "/readyz")).toMatchObject({
      status: 503,
      body: { isReady: false, isComplete: false, notReady: [{ name: "billing" }] },
    });
    served.directory.isDiscovered = true;
    expect(await get(served, "/readyz")).toMatchObject({ status: 200, body: { isComplete: true } });
  });

  test("lists a limited number, the required ones first", async () => {
    await using three = await serveThree();
    const { served, billing } = three;
    for (let index = 0; index < 500; index++) served.directory.add(`a${index}`, billing.view);
    const { status, body } = await get(served, "/readyz");
    expect([status, body.notReadyCount, body.notReady.length]).toEqual([503, 502, MAX_LISTED_NOT_READY]);
    expect(body.notReady[0].name).toBe("orders");
  });
});
