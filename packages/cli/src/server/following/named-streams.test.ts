import { TestEventSource, type ReceivedEvent } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import { RawClient } from "../../../test/raw-client.ts";
import { serveHub, type ServedHub, type ServedTopology } from "../../../test/served-hub.ts";

/** A server with the topologies `orders` and `billing`, each with one member, and the empty `default`. */
async function serveTwo() {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serveHub());
  const orders = stack.use(served.addTopology("orders"));
  const billing = stack.use(served.addTopology("billing"));
  await orders.set("o1");
  await billing.set("b1");
  return { served, orders, billing, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function open(served: ServedHub, query: string, lastEventId?: string): Promise<TestEventSource> {
  const path = `/events?${query}`;
  return TestEventSource.open(served.server.url, { path, ...(lastEventId !== undefined && { lastEventId }) });
}

const idOf = (name: string, { hub }: ServedTopology, seqNo: number) => `${name}@${hub.epoch}/${seqNo}`;
const idsOf = (events: readonly ReceivedEvent[]) => events.map(({ id }) => id);

// R7.1 R7.4
describe("/events of several topologies", () => {
  test("sends the state and the events of each, with the name in the id", async () => {
    await using two = await serveTwo();
    const { served, orders, billing } = two;
    await using client = await open(served, "topology=orders&topology=billing");
    const states = await client.take(2);
    expect(states).toMatchObject([
      { event: "state", id: idOf("orders", orders, 2), data: { members: [{ id: "o1" }] } },
      { event: "state", id: idOf("billing", billing, 2), data: { members: [{ id: "b1" }] } },
    ]);
    expect(client.notes).toEqual([
      { event: "via", data: { topology: "orders", via: ["this-daemon"] } },
      { event: "via", data: { topology: "billing", via: ["this-daemon"] } },
    ]);
    await billing.set("b1", "b2");
    await orders.set();
    expect(await client.take(3)).toMatchObject([
      { event: "snapshot", id: idOf("billing", billing, 3), data: { delta: { added: [{ id: "b2" }] } } },
      { event: "snapshot", id: idOf("orders", orders, 3), data: { delta: { removed: ["o1"] } } },
      { event: "status_changed", id: idOf("orders", orders, 4), data: { to: "empty" } },
    ]);
  });

  test("of one name has the same form", async () => {
    await using two = await serveTwo();
    await using client = await open(two.served, "topology=orders");
    expect((await client.next())?.id).toBe(idOf("orders", two.orders, 2));
  });

  test("resumes each after its last position, and is up to date once after all", async () => {
    await using two = await serveTwo();
    const { served, orders, billing } = two;
    await orders.set("o2");
    await billing.set("b2");
    const query = `topology=${idOf("orders", orders, 2)}&topology=${idOf("billing", billing, 2)}`;
    await using client = await open(served, query);
    expect(idsOf(await client.take(2))).toEqual([idOf("orders", orders, 3), idOf("billing", billing, 3)]);
    await orders.set("o3");
    expect(idsOf(await client.take(1))).toEqual([idOf("orders", orders, 4)]);
    expect(client.comments).toEqual(["up to date"]);
  });

  test("resumes the one that Last-Event-ID names, and sends the state of the others", async () => {
    await using two = await serveTwo();
    const { served, orders, billing } = two;
    await billing.set("b2");
    await using client = await open(served, "topology=*", idOf("billing", billing, 2));
    const events = await client.take(3);
    expect(events.map(({ event, id }) => `${event} ${id}`).sort()).toEqual([
      `snapshot ${idOf("billing", billing, 3)}`,
      `state default@${served.hub.epoch}/0`,
      `state ${idOf("orders", orders, 2)}`,
    ]);
  });

  test("sends no members to a client that has the content of a topology", async () => {
    await using two = await serveTwo();
    const { served, orders, billing } = two;
    const { hash } = orders.hub.state.snapshot!;
    const query = `topology=${encodeURIComponent(`orders@another-run/7;${hash}`)}&topology=billing;${hash}`;
    await using client = await open(served, query);
    const [first, second] = await client.take(2);
    expect(first).toMatchObject({ id: idOf("orders", orders, 2), data: { hash, memberCount: 1 } });
    expect(first!.data).not.toHaveProperty("members");
    expect(second).toMatchObject({ id: idOf("billing", billing, 2), data: { members: [{ id: "b1" }] } });
  });

  test("of all topologies sends those that appear, and that one has disappeared after its last event", async () => {
    await using two = await serveTwo();
    const { served, orders } = two;
    await using client = await open(served, "topology=*");
    await client.take(3);
    await using late = served.addTopology("late");
    await late.set("l1");
    const appeared = (await client.next())!;
    expect(appeared).toMatchObject({ event: "state", data: { members: [{ id: "l1" }] } });
    expect(appeared.id).toBe(idOf("late", late, 2));

    orders.hub.drain("no longer wanted");
    served.directory.remove("orders");
    await late.set("l2");
    const [ended, next] = await client.take(2);
    expect([ended, next].sort((a, b) => a!.id.localeCompare(b!.id))).toMatchObject([
      { id: idOf("late", late, 3) },
      { id: idOf("orders", orders, 3), data: { to: "draining" } },
    ]);
    await late.set("l3");
    await client.take(1);
    expect(client.notes.at(-1)).toEqual({ event: "gone", data: { topology: "orders" } });
  });

  test("follows a topology that appears again from its state", async () => {
    await using two = await serveTwo();
    const { served } = two;
    await using client = await open(served, "topology=orders&topology=billing");
    await client.take(2);
    served.directory.remove("orders");
    await using again = served.addTopology("orders");
    await again.set("o9");
    const event = (await client.next())!;
    expect(event).toMatchObject({ event: "state", id: idOf("orders", again, 2) });
    expect(event.data.members).toMatchObject([{ id: "o9" }]);
    expect(client.notes).toContainEqual({ event: "gone", data: { topology: "orders" } });
  });

  test("without `*` ends when all of its topologies are gone", async () => {
    await using two = await serveTwo();
    const { served } = two;
    await using client = await open(served, "topology=orders&topology=billing");
    await using all = await open(served, "topology=*");
    await client.take(2);
    await all.take(3);
    served.directory.remove("orders");
    served.directory.remove("billing");
    expect(await client.rest()).toEqual([]);
    expect(client.notes.slice(2)).toEqual([
      { event: "gone", data: { topology: "orders" } },
      { event: "gone", data: { topology: "billing" } },
    ]);
    served.directory.remove("default");
    await using late = served.addTopology("late");
    await late.set("l1");
    expect(await all.next()).toMatchObject({ id: idOf("late", late, 2) });
  });

  test("of no topology yet stays open and sends comments", async () => {
    await using served = await serveHub();
    served.directory.remove("default");
    await using client = await RawClient.connect(served.server.url);
    client.get("/events?topology=*");
    await client.until((text) => text.includes("retry: 2000"));
    await served.clock.advance(5_000);
    await client.until((text) => text.includes(": nothing new"));
    await using late = served.addTopology("late");
    await late.set("l1");
    await client.until((text) => text.includes("event: state"));
  });

  test.each([
    "topology=",
    "topology=a%20b",
    "topology=orders@x",
    "topology=orders@x/-1",
    "topology=orders@x/1.5",
    "topology=orders@/1",
    "topology=orders;a%0Ab",
    "topology=@x/1",
    "topology=orders&lastEventId=17",
  ])("refuses the malformed query %s", async (query) => {
    await using two = await serveTwo();
    const response = await fetch(`${two.served.server.url}/events?${query}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: "VALIDATION_MALFORMED" } },
    ]);
  });

  test("of draining topologies is refused, and of some of them is not", async () => {
    await using two = await serveTwo();
    const { served, orders, billing } = two;
    orders.hub.drain("stopped by the test");
    const response = await fetch(`${served.server.url}/events?topology=orders`);
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: "LIFECYCLE_SHUTTING_DOWN" } },
    ]);
    await using client = await open(served, "topology=orders&topology=billing");
    const states = await client.take(2);
    expect(states.map(({ data }) => String(data.status)).sort()).toEqual(["draining", "ready"]);
    await billing.set("b2");
    expect(await client.next()).toMatchObject({ id: idOf("billing", billing, 3) });
  });

  test("leads to the members of every topology, however it is interrupted, while topologies come and go", async () => {
    await using stack = new AsyncDisposableStack();
    const served = stack.use(await serveHub({ retainedEvents: 6 }));
    const names = ["a", "b", "c"];
    const topologies = new Map<string, ServedTopology>();
    const add = async (name: string, id: string) => {
      const topology = stack.use(served.addTopology(name));
      await topology.set(id);
      topologies.set(name, topology);
    };
    for (const name of names) await add(name, "first");
    served.directory.remove("default");
    const known = new Map<string, { readonly position: string; readonly ids: Set<string> }>();
    for (let round = 0; round < 30; round++) {
      const positions = [...known].map(([name, { position }]) => `topology=${name}@${position}`);
      await using client = await open(served, ["topology=*", ...positions].join("&"));
      for (let step = 0; step < (round * 7) % 5; step++) {
        const name = names[(round + step) % 3]!;
        if ((round + step) % 11 === 5) {
          served.directory.remove(name);
          await add(name, `again-${round}`);
        } else await topologies.get(name)!.set(`m${round}`, `s${step}`, "x");
      }
      const isCurrent = () =>
        names.every((name) => {
          const { epoch, state } = topologies.get(name)!.hub;
          return known.get(name)?.position === `${epoch}/${state.seqNo}`;
        });
      while (!isCurrent()) {
        const { id, event, data } = (await client.next())!;
        const [name = "", position = ""] = id.split("@");
        const ids = event === "state" ? new Set<string>() : known.get(name)!.ids;
        for (const node of event === "state" ? data.members : (data.delta?.added ?? [])) ids.add(node.id);
        for (const removed of data.delta?.removed ?? []) ids.delete(removed);
        known.set(name, { position, ids });
      }
      for (const [name, { hub }] of topologies)
        expect([...known.get(name)!.ids].sort()).toEqual(
          hub.state.snapshot!.members.toArray().map(({ id }) => id),
        );
    }
  });
});
