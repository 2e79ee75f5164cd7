import { describe, expect, test } from "vitest";
import { serveHub } from "../../test/served-hub.ts";

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return response.json();
}

// R4.5
describe("/health/providers", () => {
  test("has a state, the time of the last update and the reason of every provider", async () => {
    const reason = {
      code: "CONNECTIVITY_UNAVAILABLE",
      message: "10.0.0.1:8500 responded with 503",
      details: { address: "10.0.0.1:8500", status: 503 },
    } as const;
    const base = { kind: "memory", errors: 0, isActive: false } as const;
    await using served = await serveHub({
      view: {
        providers: () => [
          { ...base, providerId: "a", priority: 6, health: "healthy", isActive: true, lastUpdateAt: 17 },
          { ...base, providerId: "b", priority: 5, health: "degraded", errors: 2, lastUpdateAt: 16, reason },
          { ...base, providerId: "c", priority: 4, health: "unreachable", errors: 3, reason },
          { ...base, providerId: "d", priority: 3, health: "idle" },
          { ...base, providerId: "e", priority: 2, health: "connecting" },
          { ...base, providerId: "f", priority: 1, health: "disabled" },
        ],
      },
    });
    const body = await getJson(`${served.server.url}/health/providers`);
    expect(body).toMatchObject({
      epoch: served.hub.epoch,
      seqNo: 0,
      providers: [
        { providerId: "a", state: "up", health: "healthy", isActive: true, lastUpdateAt: 17 },
        { providerId: "b", state: "degraded", errors: 2, lastUpdateAt: 16, reason },
        { providerId: "c", state: "down", lastUpdateAt: null, reason },
        { providerId: "d", state: "degraded", health: "idle" },
        { providerId: "e", state: "degraded", health: "connecting" },
        { providerId: "f", state: "down", health: "disabled" },
      ],
    });
  });
});

// R4.5
describe("/health/nodes", () => {
  test("has a state, the time of the last update and the reason of every node, also of thousands", async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `n${index}`);
    await using served = await serveHub({
      view: {
        remoteNodes: () => [
          { nodeId: "blocked", state: "down", lastUpdateAt: 3 },
          { nodeId: "restored", state: "degraded", lastUpdateAt: 4 },
          { nodeId: "waiting", state: "degraded", lastUpdateAt: 5 },
          ...many.map((nodeId) => ({ nodeId, state: "up", lastUpdateAt: 6 }) as const),
        ],
      },
    });
    await served.set("restored", "blocked");
    served.hub.block("restored");
    served.hub.restore("restored");
    const body = await getJson(`${served.server.url}/health/nodes`);
    expect(body).toMatchObject({
      nodes: [
        { nodeId: "blocked", state: "down", lastUpdateAt: 3, reason: { code: "blocked" } },
        { nodeId: "restored", state: "degraded", lastUpdateAt: 4, reason: { code: "restoring" } },
        { nodeId: "waiting", state: "degraded", lastUpdateAt: 5, reason: { code: "stale" } },
        ...many.map((nodeId) => ({ nodeId, state: "up", lastUpdateAt: 6 })),
      ],
    });
  });
});

// G12
test("invisible characters in ids and reasons are escaped in documents and events, without changing their value", async () => {
  await using served = await serveHub();
  const id = "node\u202e\u200b\u009b1";
  await served.publish([{ id, host: "10.0.0.1", port: 1 }]);
  const responses = ["/topology", `/explain?node=${encodeURIComponent(id)}`].map(async (path) => {
    const text = await (await fetch(`${served.server.url}${path}`)).text();
    expect(text).toMatch(/^[\n -~]+$/);
    return text;
  });
  for (const text of await Promise.all(responses)) expect(text).toContain("node\\u202e\\u200b\\u009b1");
  const events = await fetch(`${served.server.url}/events`);
  const { value } = await events.body!.pipeThrough(new TextDecoderStream()).getReader().read();
  expect(value).toMatch(/^[\n -~]+$/);
  served.hub.drain("the test is over");
});
