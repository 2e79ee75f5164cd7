import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { toValidationProblems, type ProviderContext } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { memory } from "./memory.ts";

function createContext(): ProviderContext & { readonly clock: VirtualClock } {
  return { clock: new VirtualClock(), random: createSeededRandom(1), heartbeatMs: 300 };
}

function problemsOf(params: unknown): readonly string[] {
  const result = memory.createAdapter().params.safeParse(params);
  if (result.success) return [];
  return toValidationProblems(result.error.issues, params).map(
    ({ path, expected }) => `${path}: ${expected}`,
  );
}

describe("memory.createAdapter", () => {
  test("creates providers from descriptors and keeps the newest of each id", async () => {
    const adapter = memory.createAdapter();
    const context = createContext();
    const params = adapter.params.parse({ members: [{ id: "a", host: "10.0.0.1", port: 1 }] });
    const descriptor = { id: "primary", kind: adapter.kind, priority: 3, params };
    const provider = adapter.create(descriptor, context);
    expect(provider.descriptor).toEqual(descriptor);
    expect(adapter.providers.get("primary")).toBe(provider);
    expect(adapter.providers.get("primary")?.members.get("a")?.port).toBe(1);
    const again = adapter.create(descriptor, context);
    expect([adapter.providers.size, adapter.providers.get("primary")]).toEqual([1, again]);
  });

  test("passes the context's clock and heartbeat on", async () => {
    const adapter = memory.createAdapter();
    const context = createContext();
    const provider = adapter.create({ id: "primary", kind: "memory", priority: 0, params: {} }, context);
    const { signal } = new AbortController();
    const iterator = provider.watch({ signal })[Symbol.asyncIterator]();
    await iterator.next();
    await context.clock.advance(300);
    expect(await iterator.next()).toEqual({ done: false, value: { type: "heartbeat" } });
  });

  test("calls onCreate with every provider before it is used", async () => {
    const adapter = memory.createAdapter({ onCreate: (provider) => provider.refuse() });
    const provider = adapter.create(
      { id: "primary", kind: "memory", priority: 0, params: {} },
      createContext(),
    );
    const probe = provider.probe({ signal: new AbortController().signal });
    await expect(probe).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
  });

  test("names every problem of its parameters", () => {
    const node = { id: "a", host: "10.0.0.1", port: 1 };
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ members: [node, { ...node, id: "b" }] })).toEqual([]);
    expect(problemsOf({ members: [node, node] })).toEqual(["members: members with different ids"]);
    expect(
      problemsOf({
        members: [
          { ...node, port: 0 },
          { id: "b", host: "h" },
        ],
        nodes: [],
      }),
    ).toEqual(["members[0].port: at least 1", "members[1].port: number", "nodes: no such field"]);
  });
});
