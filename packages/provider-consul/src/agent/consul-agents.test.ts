import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import type { AgentAccess } from "./agent-access.ts";
import { ConsulAgents, type AgentLease } from "./consul-agents.ts";

const context = { clock: new VirtualClock(), random: createSeededRandom(1) };
const access: AgentAccess = { addresses: ["http://a.test:8500"], maxBlockingQueries: 16 };
const never = new AbortController().signal;

const lease = (agents: ConsulAgents, more: Partial<AgentAccess> = {}): AgentLease =>
  agents.lease({ ...access, ...more }, context);

/** Counts the blocking queries that can have a slot of their own. */
function countOwn({ agent }: AgentLease): number {
  using user = agent.slots.join(1_000);
  const taken = new DisposableStack();
  let count = 0;
  for (let slot = user.takeOwn(0); slot !== undefined; slot = user.takeOwn(0), count++) {
    slot.settle();
    taken.use(slot);
  }
  taken.dispose();
  return count;
}

describe("ConsulAgents", () => {
  test.each<[string, Partial<AgentAccess>]>([
    ["an equal access", {}],
    ["a slash after the address", { addresses: ["http://a.test:8500/"] }],
    ["TLS without any file", { tls: {} }],
    ["another maxBlockingQueries", { maxBlockingQueries: 99 }],
  ])("users with %s share one agent", (_, more) => {
    const agents = new ConsulAgents();
    expect(lease(agents, more).agent).toBe(lease(agents).agent);
  });

  test.each<[string, Partial<AgentAccess>]>([
    ["another address", { addresses: ["http://b.test:8500"] }],
    ["another scheme", { addresses: ["https://a.test:8500"] }],
    ["a further address", { addresses: ["http://a.test:8500", "http://b.test:8500"] }],
    ["a CA file", { tls: { caFile: "ca.pem" } }],
    ["a client certificate", { tls: { certFile: "ca.pem" } }],
    ["a server name", { tls: { serverName: "ca.pem" } }],
  ])("users with %s share none", (_, more) => {
    const agents = new ConsulAgents();
    expect(lease(agents, more).agent).not.toBe(lease(agents).agent);
  });

  test("an agent is used until its last user has closed", () => {
    const agents = new ConsulAgents();
    const [first, second] = [lease(agents), lease(agents)];
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const third = lease(agents);
    expect(third.agent).toBe(second.agent);
    second[Symbol.dispose]();
    third[Symbol.dispose]();
    expect(lease(agents).agent).not.toBe(second.agent);
  });

  test("the lowest maxBlockingQueries of the present users applies", async () => {
    const agents = new ConsulAgents();
    const high = lease(agents, { maxBlockingQueries: 64 });
    expect(countOwn(high)).toBe(64);
    const low = lease(agents, { maxBlockingQueries: 8 });
    expect(countOwn(high)).toBe(8);
    const permits = await Promise.all(Array.from({ length: 4 }, () => high.agent.lane.enter(never)));
    const next = high.agent.lane.enter(never);
    low[Symbol.dispose]();
    expect(countOwn(high)).toBe(64);
    // The limit for other requests is an eighth of it, but at least four.
    for (const each of [...permits, await next]) each[Symbol.dispose]();
  });
});
