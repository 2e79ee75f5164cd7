import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { ProvisioningError, type ClusterProvider, type ProviderSnapshot, type Update } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { UpdateFacts } from "../test/update-facts.ts";
import { Failover } from "./failover.ts";
import type { HealthOptions } from "./health-policy.ts";

/** These tests check which provider is active, not which members guards keep. */
const NO_GUARDS = { removalDwellMs: 0, massRemoval: false } as const;

const node = (id: string) => ({ id, host: `${id}.local`, port: 80 });

const ignore = () => undefined;

async function setUp(health: HealthOptions = {}) {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({
    id: "primary",
    priority: 2,
    clock,
    members: [node("n1"), node("n2")],
  });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: [node("n1"), node("n3")] });
  const failover = new Failover({
    providers: [backup, primary],
    clock,
    random: createSeededRandom(1),
    health,
    guards: NO_GUARDS,
  });
  const stop = new AbortController();
  const facts = new UpdateFacts();
  const running = failover.run({ signal: stop.signal, onUpdate: facts.onUpdate });
  await clock.settle();
  /** Describes all facts since the last call except changes of health. */
  const takeFacts = () =>
    facts.all.splice(0).flatMap((fact) => {
      if (fact.type === "snapshot") return `${fact.snapshot.providerId}:${ids(fact.snapshot)}`;
      if (fact.type === "switched") {
        const { from, to, reason } = fact.switched;
        return `${from}>${to} ${reason}`;
      }
      if (fact.type === "availability") return fact.availability;
      if (fact.type === "ended") return `${fact.ended.providerId} ${fact.ended.reason.kind}`;
      return [];
    });
  const end = async () => {
    stop.abort();
    await running;
    await failover[Symbol.asyncDispose]();
  };
  return { clock, primary, backup, failover, takeFacts, facts, end };
}

function ids({ members }: ProviderSnapshot): string {
  return [...members].map(({ id }) => id).join(",");
}

describe("Failover", () => {
  test("reports the snapshots of the provider of highest priority, and none of the standby", async () => {
    // R2.5
    const { clock, primary, backup, takeFacts, end } = await setUp();
    expect(takeFacts()).toEqual(["primary:n1,n2"]);
    backup.set([node("n9")]);
    primary.apply({ upsert: [node("n4")] });
    await clock.settle();
    expect(takeFacts()).toEqual(["primary:n1,n2,n4"]);
    await end();
  });

  test("reports a switch before the snapshot of the standby, without a round trip", async () => {
    // R2.2 R2.5 R3.4
    const { clock, primary, takeFacts, end } = await setUp();
    takeFacts();
    const before = clock.monotonic();
    primary.end();
    await clock.settle();
    expect(clock.monotonic()).toBe(before);
    expect(takeFacts()).toEqual(["primary ended", "primary>backup stream_ended", "backup:n1,n3"]);
    await end();
  });

  test("fails back once the provider of higher priority has been healthy for one cooldown", async () => {
    // R2.6
    const { clock, primary, takeFacts, end } = await setUp();
    primary.refuse();
    primary.fail();
    await clock.advance(60_000);
    expect(takeFacts()).toContain("primary>backup errors");
    primary.recover();
    await clock.advance(30_000 + 9_000);
    const recoveredAt = clock.monotonic();
    await clock.advance(10_000);
    expect(takeFacts()).toEqual(["backup>primary recovered", "primary:n1,n2"]);
    expect(recoveredAt).toBeGreaterThan(0);
    await end();
  });

  test("notices silence on an open stream within the timeout", async () => {
    // R2.6
    const { clock, primary, takeFacts, end } = await setUp();
    takeFacts();
    primary.hang();
    await clock.advance(14_999);
    expect(takeFacts()).toEqual([]);
    await clock.advance(1);
    expect(takeFacts()).toEqual(["primary errored", "primary>backup timeout", "backup:n1,n3"]);
    await end();
  });

  test("retries at growing intervals, and resets them only after a cooldown of health", async () => {
    const { clock, primary, backup, end, facts } = await setUp({ maxErrors: 100 });
    void backup;
    const attempts: number[] = [];
    const watch = primary.watch.bind(primary);
    primary.watch = (options) => {
      attempts.push(clock.monotonic());
      return watch(options);
    };
    primary.refuse();
    primary.fail();
    await clock.advance(200_000);
    // Full jitter with an upper limit of 2, 4, 8, 16, 30, 30 ... seconds.
    const waits = attempts.map((at, i) => at - (attempts[i - 1] ?? 0));
    waits.forEach((wait, i) => expect(wait).toBeLessThanOrEqual(Math.min(2_000 * 2 ** i, 30_000)));
    expect(attempts.length).toBeGreaterThan(8);
    expect(attempts.length).toBeLessThan(40);
    expect(facts.all.filter(({ type }) => type === "ended")).toHaveLength(1);
    await end();
  });

  test("is unavailable when every provider is unreachable, until one delivers; its snapshot is reported first", async () => {
    // R5.3
    const { clock, primary, backup, takeFacts, end } = await setUp();
    takeFacts();
    for (const provider of [primary, backup]) {
      provider.refuse(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
      provider.fail();
    }
    await clock.advance(60_000);
    expect(takeFacts().at(-1)).toBe("unavailable");
    backup.recover();
    backup.set([node("n7")]);
    await clock.advance(60_000);
    expect(takeFacts()).toEqual(["primary>backup errors", "backup:n7", "available"]);
    await end();
  });

  test("reports `degraded` before a late snapshot", async () => {
    // R2.6 R4.3
    const { clock, primary, backup, takeFacts, end } = await setUp();
    backup.refuse();
    backup.fail();
    await clock.settle();
    takeFacts();
    primary.set([node("n5")], { observedAt: clock.now() - 60_000 });
    await clock.settle();
    expect(takeFacts()).toEqual(["degraded", "primary:n5"]);
    primary.set([node("n6")]);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary:n6", "available"]);
    await end();
  });

  test("switches to a healthy provider by override, and rejects an unknown one", async () => {
    const { clock, failover, takeFacts, end } = await setUp();
    takeFacts();
    expect(() => failover.override("unknown")).toThrow(/VALIDATION_UNKNOWN_ID/);
    failover.override("backup");
    await clock.settle();
    expect(takeFacts()).toEqual(["primary>backup manual_override", "backup:n1,n3"]);
    await end();
  });

  test("a reload keeps the watches of unchanged providers, ends those of removed ones at once, and starts new ones", async () => {
    // R5.4
    const { clock, primary, backup, failover, takeFacts, end } = await setUp();
    takeFacts();
    const third = new MemoryProvider({ id: "third", priority: 3, clock, members: [node("n8")] });
    const before = backup.watches;
    let began = 0;
    const watch = backup.watch.bind(backup);
    backup.watch = (options) => {
      began++;
      return watch(options);
    };
    failover.reconfigure([backup, third]);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary>backup removed_by_reload", "backup:n1,n3"]);
    expect(primary.watches).toBe(0);
    await clock.advance(10_000);
    expect(takeFacts()).toEqual(["backup>third recovered", "third:n8"]);
    expect([before, backup.watches, began]).toEqual([1, 1, 0]);
    await end();
  });

  test("keeps the last snapshot, as degraded, until a provider that was replaced under its id delivers", async () => {
    const { clock, backup, failover, takeFacts, end } = await setUp();
    takeFacts();
    const renewed = new MemoryProvider({
      id: "primary",
      priority: 2,
      clock,
      members: [node("n1"), node("n5")],
    });
    failover.reconfigure([renewed, backup]);
    await clock.settle();
    expect(takeFacts()).toEqual(["degraded", "primary:n1,n5", "available"]);
    await end();
  });

  test("reports the health of each provider with the time of its last sign of life", async () => {
    // R4.5
    const { clock, primary, failover, end } = await setUp();
    primary.hang();
    await clock.advance(16_000);
    expect(failover.health()).toMatchObject([
      { providerId: "backup", health: "healthy", isActive: true, errors: 0 },
      { providerId: "primary", health: "unreachable", isActive: false, reason: { code: "STREAM_SILENT" } },
    ]);
    const backup = failover.health().find(({ providerId }) => providerId === "backup");
    expect(clock.now() - (backup?.lastUpdateAt ?? 0)).toBeLessThanOrEqual(5_000);
    await end();
  });

  test("reports when each provider last confirmed its content; a late snapshot confirms nothing", async () => {
    const { clock, primary, failover, end } = await setUp();
    const confirmedAt = clock.now();
    primary.set([node("n1")], { stalenessMs: 60_000 });
    await clock.advance(1_000);
    const report = failover.health().find(({ providerId }) => providerId === "primary");
    expect(report).toMatchObject({ health: "degraded", confirmedAt, lastUpdateAt: confirmedAt });
    await end();
  });

  test("watches a cold standby only when it is needed", async () => {
    const { clock, primary, backup, takeFacts, end } = await setUp({ standby: "cold" });
    expect(backup.watches).toBe(0);
    takeFacts();
    primary.refuse();
    primary.end();
    await clock.settle();
    expect(takeFacts()).toEqual([
      "primary ended",
      "degraded",
      "primary>backup stream_ended",
      "backup:n1,n3",
      "available",
    ]);
    primary.recover();
    await clock.advance(60_000);
    expect(takeFacts()).toEqual(["backup>primary recovered", "primary:n1,n2"]);
    expect(backup.watches).toBe(0);
    await end();
  });

  test("leaves neither a timer nor a watch after its end, in any state", async () => {
    const { clock, primary, backup, end } = await setUp();
    primary.hang();
    backup.refuse();
    backup.fail();
    await clock.advance(20_000);
    await end();
    expect(primary.watches + backup.watches).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("ends although a watch ignores its signal", async () => {
    const { clock, primary, failover, end } = await setUp();
    const unstoppable: ClusterProvider = {
      descriptor: primary.descriptor,
      capabilities: primary.capabilities,
      probe: () => new Promise(() => {}),
      watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    failover.reconfigure([unstoppable]);
    await clock.advance(5_000);
    await end();
    expect(clock.pendingTimers).toBe(0);
  });

  test("reports a switch and the resulting snapshot in one update that is not fresh", async () => {
    // R3.4
    const clock = new VirtualClock();
    const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: [node("n1")] });
    const failover = new Failover({ providers: [primary], clock, guards: NO_GUARDS });
    const updates: Update[] = [];
    const stop = new AbortController();
    const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
    await clock.settle();
    expect(updates.at(-1)).toMatchObject({ isFresh: true, availability: "available" });
    primary.heartbeat();
    await clock.settle();
    const [before, beat] = updates.slice(-2);
    expect(beat).toMatchObject({ isFresh: true, switched: undefined, health: [] });
    expect(beat?.snapshot).toBe(before?.snapshot);
    const other = new MemoryProvider({ id: "other", priority: 1, clock, members: [node("n9")] });
    failover.reconfigure([primary, other]);
    await clock.settle();
    const count = updates.length;
    primary.end();
    await clock.settle();
    expect(updates[count]).toMatchObject({
      isFresh: false,
      availability: "available",
      ended: { providerId: "primary" },
      switched: { from: "primary", to: "other" },
      snapshot: { providerId: "other" },
    });
    stop.abort();
    await running;
  });

  test("rejects a second run and a run after disposal, and reports nothing after its signal has aborted", async () => {
    const { clock, primary, failover, facts, end } = await setUp();
    const { signal } = new AbortController();
    await expect(failover.run({ signal, onUpdate: ignore })).rejects.toMatchObject({
      code: "LIFECYCLE_RUNNING",
    });
    await end();
    const count = facts.all.length;
    primary.set([node("n7")]);
    await clock.settle();
    expect(facts.all).toHaveLength(count);
    await expect(failover.run({ signal, onUpdate: ignore })).rejects.toMatchObject({
      code: "LIFECYCLE_STOPPED",
    });
  });

  test("accepts calls from its receiver, and reports their effect in a separate update after the current one", async () => {
    const { clock, primary, backup, end } = await setUp();
    await using failover = new Failover({ providers: [primary, backup], clock, guards: NO_GUARDS });
    const stop = new AbortController();
    const seen: string[] = [];
    let isPinned = false;
    const running = failover.run({
      signal: stop.signal,
      onUpdate({ snapshot, switched }) {
        if (switched !== undefined) seen.push(`${switched.from}>${switched.to} ${switched.reason}`);
        const isReady = failover.health().every(({ health }) => health === "healthy");
        if (snapshot === undefined || isPinned || !isReady) return;
        isPinned = true;
        failover.override("backup");
      },
    });
    await clock.settle();
    expect(seen).toEqual(["primary>backup manual_override"]);
    stop.abort();
    await running;
    await end();
  });

  test("warns of providers that give the same members different ids, and again after one was replaced", async () => {
    const clock = new VirtualClock();
    const named = (id: string, priority: number, memberId: string) =>
      new MemoryProvider({ id, priority, clock, members: [{ id: memberId, host: "10.0.0.1", port: 80 }] });
    const [p, q] = [named("p", 2, "web-1"), named("q", 1, "other-name")];
    const warnings: string[] = [];
    const onWarning = ({ code }: ProvisioningError) => warnings.push(code);
    await using failover = new Failover({ providers: [p, q], clock, guards: NO_GUARDS, onWarning });
    const running = failover.run({ signal: new AbortController().signal, onUpdate: ignore });
    await clock.settle();
    expect(warnings).toEqual(["TOPOLOGY_IDS_DIFFER"]);
    failover.reconfigure([p, named("q", 1, "another-name")]);
    await clock.settle();
    expect(warnings).toEqual(["TOPOLOGY_IDS_DIFFER", "TOPOLOGY_IDS_DIFFER"]);
    await failover[Symbol.asyncDispose]();
    await running;
  });
});
