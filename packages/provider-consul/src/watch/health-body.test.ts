import { diffMembers, systemClock, type ClusterNodeInput } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consulParamsSchema } from "../consul-params.ts";
import { HealthBody, type HealthContent } from "./health-body.ts";
import { toEntry } from "../../test/fake-consul.ts";

const { signal } = new AbortController();

function createBody(params: Readonly<Record<string, unknown>> = {}): HealthBody {
  return new HealthBody(
    consulParamsSchema.parse({ service: "web", nodeId: "service-id", ...params }),
    systemClock,
  );
}

async function read(body: HealthBody, entries: unknown, space?: number): Promise<HealthContent> {
  const content = await body.read(Buffer.from(JSON.stringify(entries, undefined, space)), signal);
  if (content === "same") throw new Error("nothing is new in it");
  return content;
}

const node = (id: string, port = 80, more: Partial<ClusterNodeInput> = {}) => ({
  id,
  host: "10.0.0.1",
  port,
  ...more,
});

const at = (name: string, id: string, host: string) => ({
  Node: { Node: name, Address: host },
  Service: { ID: id, Port: 80 },
});

interface Instance {
  readonly id: string;
  readonly port: number;
  readonly isHealthy: boolean;
  readonly text: string;
}

function toBody(instances: readonly Instance[]): readonly unknown[] {
  return instances.map(({ id, port, isHealthy, text }) => ({
    ...toEntry(node(id, port, { metadata: { text } })),
    Checks: [{ Status: isHealthy ? "passing" : "critical" }],
  }));
}

describe("HealthBody", () => {
  test("an incremental read gives the same result as a complete read, for any difference", async () => {
    const entry = fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      port: fc.constantFrom(0, 80, 8_080, 80_000),
      isHealthy: fc.constantFrom(true, true, true, false),
      text: fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom("", '"', "]},{", "\\", "é🌊") },
        { weight: 1, arbitrary: fc.constant("v".repeat(8_193)) },
      ),
    });
    const bodies = fc.array(fc.array(entry, { maxLength: 10 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom(0, 2), async (versions, space) => {
        const kept = createBody();
        for (const version of versions) {
          const bytes = Buffer.from(JSON.stringify(toBody(version), undefined, space));
          const whole = await createBody()
            .read(bytes, signal)
            .catch((error: Error) => error.message);
          const part = await kept.read(bytes, signal).catch((error: Error) => error.message);
          if (part === "same") continue;
          if (typeof whole === "string" || typeof part === "string") {
            // A watch ends with its first failure.
            expect(part).toBe(whole);
            return;
          }
          expect(diffMembers(whole.members, part.members)).toEqual({ added: [], updated: [], removed: [] });
          expect(part.members.sum).toEqual(whole.members.sum);
          expect(part.skipped).toEqual(whole.skipped);
          expect(part.trimmed).toEqual(whole.trimmed);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("does not read a body again that is equal byte for byte", async () => {
    const body = createBody();
    const bytes = Buffer.from(JSON.stringify([toEntry(node("a"))]));
    await body.read(bytes, signal);
    expect(await body.read(Buffer.from(bytes), signal)).toBe("same");
    expect(body.isEmpty).toBe(false);
  });

  test("parses one entry when one of many has changed", async () => {
    const entries = Array.from({ length: 1_000 }, (_, i) => toEntry(node(`node-${i}`)));
    const body = createBody();
    const before = await read(body, entries, 2);
    const { parse } = JSON;
    let parsed = 0;
    JSON.parse = (text) => {
      parsed++;
      return parse(text) as unknown;
    };
    try {
      entries[500] = toEntry(node("node-500", 8_080));
      const after = await read(body, entries, 2);
      expect(parsed).toBe(1);
      expect(diffMembers(before.members, after.members).updated).toHaveLength(1);
      expect(after.members.get("node-501")).toBe(before.members.get("node-501"));
    } finally {
      JSON.parse = parse;
    }
  });

  test("uses the first instance with an id, and the next one after its removal", async () => {
    const body = createBody();
    const [first, second, other] = [toEntry(node("a", 1)), toEntry(node("a", 2)), toEntry(node("b", 3))];
    const twins = await read(body, [first, other, second]);
    expect(Array.from(twins.members, ({ port }) => port)).toEqual([1, 3]);
    expect(twins.skipped).toEqual({
      count: 1,
      reasons: ["another instance has the same id and a different address (see nodeId)"],
    });
    const one = await read(body, [other, second]);
    expect(Array.from(one.members, ({ port }) => port)).toEqual([2, 3]);
    expect(one.skipped).toBeUndefined();
  });

  test("keeps valid entries and counts the others, without their text", async () => {
    const nameless = { Node: {}, Service: { Port: 80, Address: "10.0.0.1" } };
    const bad = [{ Node: {} }, 7, null, toEntry(node("hunter2", 99_999)), nameless];
    const { members, skipped } = await read(createBody(), [...bad, toEntry(node("a"))]);
    expect(members.size).toBe(1);
    expect(skipped).toEqual({
      count: 5,
      reasons: ["the entry has no Service or no Node", "port: expected at most 65535", "id: expected string"],
    });
    await expect(read(createBody(), bad)).rejects.toMatchObject({ code: "STREAM_INVALID_DATA" });
  });

  test("counts two addresses with the same id, also when a name contains the separator", async () => {
    // C2: when two addresses have the same id, one member is lost, and that must be visible.
    const body = createBody({ nodeId: "node-and-service" });
    const { members, skipped } = await read(body, [at("a/b", "c", "10.0.0.1"), at("a", "b/c", "10.0.0.2")]);
    expect(Array.from(members, ({ id }) => id)).toEqual(["a/b/c"]);
    expect(skipped).toEqual({
      count: 1,
      reasons: ["another instance has the same id and a different address (see nodeId)"],
    });
    const same = createBody({ nodeId: "address" });
    expect((await read(same, [at("a", "x", "10.0.0.1"), at("b", "y", "10.0.0.1")])).skipped).toEqual({
      count: 1,
      reasons: ["another instance has the same id and the same address"],
    });
  });

  test("an instance over a limit that Consul does not have is a member, and is counted as trimmed", async () => {
    const long = toEntry(node("tag", 80, { tags: ["x".repeat(1_025), "b"] }));
    const many = toEntry(node("tags", 80, { tags: Array.from({ length: 257 }, (_, i) => `${i}`) }));
    const named = toEntry(node("i".repeat(300)));
    const zoned = toEntry(node("zone", 80, { zone: "z".repeat(512) }));
    const stored = toEntry(node("value", 80, { metadata: { a: "b", long: "v".repeat(8_193) } }));
    const body = createBody();
    const { members, skipped, trimmed } = await read(body, [long, many, named, zoned, stored]);
    expect(skipped).toBeUndefined();
    expect(members.size).toBe(5);
    expect(trimmed?.count).toBe(5);
    expect(members.get("tag")?.tags).toEqual(["b"]);
    expect(members.get("tags")?.tags).toHaveLength(256);
    expect(members.get("zone")?.zone).toBeUndefined();
    expect(members.get("value")?.metadata).toEqual({ a: "b" });
    // The same members as before, and not counted after they have been corrected.
    const after = await read(body, [long, toEntry(node("b"))]);
    expect(after.members.get("tag")).toBe(members.get("tag"));
    expect(after.trimmed?.count).toBe(1);
    expect((await read(body, [toEntry(node("b"))])).trimmed).toBeUndefined();
  });

  test.each(["node-and-service", "service-id", "address", { meta: "id" }])(
    "leaves out what has no text for an id by %j, also where members are known",
    async (nodeId) => {
      const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
      const sound = toEntry(node("a", 80, { metadata: { id: "a" } }));
      const odd = [{ toString: null, valueOf: null }, "(deep)", 7, undefined].map((id) => ({
        Node: { Node: id },
        Service: { ID: id, Address: id, Port: 80, Meta: { id } },
      }));
      const body = createBody({ nodeId });
      await read(body, [sound]);
      const text = JSON.stringify([sound, ...odd]).replaceAll('"(deep)"', deep);
      const content = await body.read(Buffer.from(text), signal);
      expect(content).toMatchObject({ skipped: { count: 4 } });
    },
  );

  test.each([
    "",
    "{}",
    "null",
    "<html>",
    '[{"a":1}',
    "[{]",
    "[{'a':1}]",
    "[\u0000]",
    "\uFEFF[]",
    "[1\u000b]",
  ])("refuses %j", async (text) => {
    await expect(createBody().read(Buffer.from(text), signal)).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      message: expect.not.stringContaining(text === "" ? "html" : text) as string,
    });
  });

  test("rejects bytes that are not UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from('[{"a":"'), Buffer.of(0xff), Buffer.from('"}]')]);
    await expect(createBody().read(bytes, signal)).rejects.toMatchObject({ code: "STREAM_INVALID_DATA" });
  });

  test("rejects more entries than a provider may have, also when they were added one by one", async () => {
    const params = consulParamsSchema.parse({ service: "web", nodeId: "service-id" });
    const create = () => new HealthBody(params, systemClock, 3);
    const limit = { code: "STREAM_INVALID_DATA", details: { maxMembers: 3 } };
    const some = Buffer.from(JSON.stringify([toEntry(node("a")), 0, 0]));
    const body = create();
    expect(await body.read(some, signal)).toMatchObject({ skipped: { count: 2 } });
    const more = Buffer.concat([some.subarray(0, -1), Buffer.from(",0]")]);
    await expect(body.read(more, signal)).rejects.toMatchObject(limit);
    await expect(create().read(more, signal)).rejects.toMatchObject(limit);
  });

  test("rejects more than a million entries", async () => {
    const bytes = Buffer.from(`[0${",0".repeat(1_000_000)}]`);
    await expect(createBody().read(bytes, signal)).rejects.toMatchObject({
      details: { maxMembers: 1_000_000 },
    });
  });

  test("reads null lists, the worst check, weights, zones, addresses and names", async () => {
    const entry = {
      Node: {
        Node: "n1",
        Address: "10.1.1.1",
        Meta: { zone: "z-node" },
        TaggedAddresses: { wan: "1.2.3.4" },
      },
      Service: {
        ID: "s1",
        Address: "",
        Port: 80,
        Tags: null,
        Meta: null,
        Weights: { Passing: 5, Warning: 2 },
      },
      Checks: [{ Status: "passing" }, { Status: "warning" }],
    };
    const only = async (params: Readonly<Record<string, unknown>>) =>
      [...(await read(createBody(params), [entry])).members][0];
    expect(await only({})).toBeUndefined();
    const warning = { health: "warning" };
    expect(await only(warning)).toEqual({
      id: "s1",
      host: "10.1.1.1",
      port: 80,
      zone: "z-node",
      weight: 2,
      tags: [],
      metadata: {},
    });
    expect((await only({ ...warning, nodeId: "node-and-service" }))?.id).toBe("n1/s1");
    expect((await only({ ...warning, nodeId: "address" }))?.id).toBe("10.1.1.1:80");
    expect((await only({ ...warning, taggedAddress: "wan" }))?.host).toBe("1.2.3.4");
    await expect(only({ ...warning, nodeId: { meta: "name" } })).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
    });
  });
});
