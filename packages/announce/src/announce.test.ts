import { describe, expect, test } from "vitest";
import { ProvisioningError, type Registrar } from "@holdfast/core";
import { createSeededRandom, MemoryRegistrarBackend, VirtualClock } from "@holdfast/testing";
import { announce, type AnnounceOptions } from "./announce.ts";
import type { Announcement } from "./announcement.ts";
import type { AnnouncementEvent } from "./announcement-event.ts";

const self = { id: "a", host: "10.0.0.1", port: 7_001 };
const TTL_MS = 3_000;

class Trial {
  readonly clock = new VirtualClock();
  readonly backend = new MemoryRegistrarBackend({ clock: this.clock, ttlMs: TTL_MS });
  readonly events: AnnouncementEvent[] = [];
  readonly warnings: ProvisioningError[] = [];

  announce(options: Partial<AnnounceOptions> = {}): Announcement {
    const announcement = announce({
      registrar: this.backend.registrar,
      self,
      clock: this.clock,
      random: createSeededRandom(7),
      onWarning: (warning) => this.warnings.push(warning),
      ...options,
    });
    announcement.onChange((event) => this.events.push(event));
    return announcement;
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  get listed(): readonly string[] {
    return this.backend.members.map(({ id }) => id);
  }

  /** Leaves, and expects that nothing is left behind. */
  async end(announcement: Announcement): Promise<void> {
    await this.clock.until(announcement.leave({ isImmediate: true }), 60_000);
    expect(this.clock.pendingTimers).toBe(0);
    expect(this.backend.openRegistrations).toBe(0);
  }
}

// R8.4
describe("announce", () => {
  test("registers at once, and stays registered for as long as it lives", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    expect(announcement.state.status).toBe("registering");
    await trial.clock.until(announcement.ready(), 100);
    expect(trial.listed).toEqual(["a"]);
    expect(trial.events).toEqual([{ type: "registered", isAgain: false }]);
    for (let passed = 0; passed < 20 * TTL_MS; passed += 100) {
      await trial.clock.advance(100);
      expect(trial.listed).toEqual(["a"]);
    }
    expect(trial.types).toEqual(["registered"]);
    expect(announcement.state).toEqual({ status: "registered", since: trial.clock.now() - 20 * TTL_MS });
    await trial.end(announcement);
  });

  test("beats at intervals that differ, at most a tenth", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    await trial.clock.advance(20_000);
    const beats = trial.backend.calls.map(({ at }) => at);
    const gaps = beats.slice(1).map((at, index) => at - beats[index]!);
    expect(new Set(gaps).size).toBeGreaterThan(10);
    for (const gap of gaps) expect(gap).toSatisfy((ms: number) => ms >= 900 && ms <= 1_000);
    await trial.end(announcement);
  });

  test("registers again after the backend has lost the entry, with a random delay", async () => {
    const delays = new Set<number>();
    for (const seed of [1, 2, 3, 4, 5]) {
      const trial = new Trial();
      const announcement = trial.announce({ random: createSeededRandom(seed) });
      await trial.clock.advance(5_000);
      trial.backend.loseData();
      await trial.clock.advance(1_500);
      expect(trial.listed).toEqual(["a"]);
      expect(trial.events).toEqual([
        { type: "registered", isAgain: false },
        { type: "lost", reason: expect.objectContaining({ code: "LIFECYCLE_REGISTRATION_LOST" }) },
        { type: "registered", isAgain: true },
      ]);
      const again = trial.backend.calls.findLastIndex(({ name }) => name === "register");
      delays.add(trial.backend.calls[again]!.at - trial.backend.calls[again - 1]!.at);
      await trial.end(announcement);
    }
    expect(delays.size).toBe(5);
    for (const delay of delays) expect(delay).toBeLessThan(500);
  });

  test("a backend that is down at the start is tried until it works", async () => {
    const trial = new Trial();
    trial.backend.state = "broken";
    const announcement = trial.announce();
    await trial.clock.advance(120_000);
    expect(announcement.state).toMatchObject({
      status: "registering",
      reason: { code: "CONNECTIVITY_REFUSED" },
    });
    const gaps = trial.events.map((event) => (event.type === "failed" ? event.retryInMs : Infinity));
    expect(gaps.length).toBeGreaterThan(30);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
    trial.backend.state = "working";
    await trial.clock.until(announcement.ready(), 5_100);
    expect(trial.listed).toEqual(["a"]);
    await trial.end(announcement);
  });

  test("reports the loss when the time to live has passed without a confirmation, and comes back by itself", async () => {
    for (const state of ["broken", "hanging"] as const) {
      const trial = new Trial();
      const announcement = trial.announce();
      await trial.clock.advance(4_000);
      const lastBeat = trial.backend.calls.at(-1)!.at;
      trial.backend.state = state;
      await trial.clock.advance(lastBeat + TTL_MS - trial.clock.monotonic() - 1);
      expect(announcement.state.status).toBe("registered");
      expect(trial.types.filter((type) => type !== "failed")).toEqual(["registered"]);
      await trial.clock.advance(1);
      expect(announcement.state).toMatchObject({
        status: "lost",
        reason: { code: "LIFECYCLE_REGISTRATION_LOST", details: { ttlMs: TTL_MS } },
      });
      expect(trial.listed).toEqual([]);
      await trial.clock.advance(60_000);
      expect(trial.types.filter((type) => type !== "failed")).toEqual(["registered", "lost"]);
      trial.backend.state = "working";
      await trial.clock.until(announcement.ready(), 10_100);
      expect(trial.listed).toEqual(["a"]);
      expect(trial.events.at(-1)).toEqual({ type: "registered", isAgain: true });
      await trial.end(announcement);
    }
  });

  test("a short failure is reported as failed, and not as lost", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    await trial.clock.advance(4_000);
    trial.backend.state = "broken";
    await trial.clock.advance(1_200);
    trial.backend.state = "working";
    await trial.clock.advance(10_000);
    expect(trial.types).toContain("failed");
    expect(trial.types).not.toContain("lost");
    await trial.end(announcement);
  });

  test("a registration that hangs is given up after five seconds, and a beat after a third of the time to live", async () => {
    const trial = new Trial();
    trial.backend.state = "hanging";
    const announcement = trial.announce();
    await trial.clock.advance(4_999);
    expect(trial.events).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.events).toEqual([
      {
        type: "failed",
        reason: expect.objectContaining({ code: "CONNECTIVITY_TIMEOUT" }),
        retryInMs: expect.any(Number),
      },
    ]);
    trial.backend.state = "working";
    await trial.clock.until(announcement.ready(), 1_000);
    await trial.clock.advance(100);
    trial.backend.state = "hanging";
    const calls = trial.backend.calls.length;
    const seen = trial.events.length;
    while (trial.backend.calls.length === calls) await trial.clock.advance(1);
    await trial.clock.advance(TTL_MS / 3 - 2);
    expect(trial.events).toHaveLength(seen);
    await trial.clock.advance(2);
    expect(trial.events[seen]).toMatchObject({ type: "failed", reason: { code: "CONNECTIVITY_TIMEOUT" } });
    await trial.end(announcement);
  });

  test("one beat without a response does not lose the registration", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const trial = new Trial();
      const announcement = trial.announce({ random: createSeededRandom(seed) });
      await trial.clock.advance(3_500);
      trial.backend.state = "hanging";
      const calls = trial.backend.calls.length;
      while (trial.backend.calls.length === calls) await trial.clock.advance(1);
      trial.backend.state = "working";
      await trial.clock.advance(2 * TTL_MS);
      expect(trial.types).not.toContain("lost");
      await trial.end(announcement);
    }
  });

  test("waits at least for Retry-After", async () => {
    const trial = new Trial();
    const details = { retryAfterMs: 20_000 };
    const { registrar } = trial.backend;
    let failures = 1;
    const asking: Registrar = {
      kind: "asking",
      open(node, context) {
        const registration = registrar.open(node, context);
        const register = registration.register.bind(registration);
        registration.register = (options) =>
          failures-- > 0
            ? Promise.reject(new ProvisioningError("CONNECTIVITY_OVERLOADED", "later", { details }))
            : register(options);
        return registration;
      },
    };
    const announcement = trial.announce({ registrar: asking });
    await trial.clock.advance(19_999);
    expect(trial.listed).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.listed).toEqual(["a"]);
    await trial.end(announcement);
  });

  test("waits for an id that another process uses, and takes it over", async () => {
    const trial = new Trial();
    const first = trial.announce();
    await trial.clock.advance(100);
    const second = trial.announce({ self: { ...self, port: 8_001 } });
    await trial.clock.advance(20_000);
    expect(second.state).toMatchObject({
      status: "registering",
      reason: { code: "VALIDATION_DUPLICATE_ID" },
    });
    expect(trial.backend.members[0]!.port).toBe(7_001);
    await trial.clock.until(first.leave({ isImmediate: true }), 100);
    await trial.clock.until(second.ready(), 5_000);
    expect(trial.backend.members[0]!.port).toBe(8_001);
    await trial.end(second);
  });
});

// R8.4
describe("leaving", () => {
  test("drains, waits, finishes, and then removes the entry", async () => {
    const trial = new Trial();
    const steps: string[] = [];
    const finish = async () => {
      steps.push(`finish at ${trial.clock.monotonic()}: listed ${trial.listed.length}`);
      await new Promise<void>((resolve) => void trial.clock.schedule(300, resolve));
    };
    const announcement = trial.announce({ finish });
    announcement.onChange(({ type }) => steps.push(`${type} at ${trial.clock.monotonic()}`));
    await trial.clock.advance(100);
    await trial.clock.until(announcement.leave(), 10_000);
    expect(steps).toEqual(["registered at 0", "draining at 100", "finish at 5100: listed 0", "left at 5400"]);
    expect(trial.backend.calls.map(({ name }) => name).filter((name) => name !== "beat")).toEqual([
      "register",
      "drain",
      "leave",
    ]);
    expect(announcement.state).toEqual({ status: "left", since: trial.clock.now() });
    expect(trial.clock.pendingTimers).toBe(0);
    await expect(announcement.ready()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await announcement.leave();
    await announcement.untilLeft();
    await announcement[Symbol.asyncDispose]();
  });

  test("a drain alone keeps the entry out of use and alive until it leaves", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    await trial.clock.advance(100);
    await trial.clock.until(announcement.drain(), 100);
    expect(trial.listed).toEqual([]);
    await trial.clock.advance(10 * TTL_MS);
    expect(trial.backend.calls.at(-1)!.name).toBe("beat");
    expect(trial.types).toEqual(["registered", "draining"]);
    await expect(announcement.ready()).rejects.toMatchObject({ code: "LIFECYCLE_SHUTTING_DOWN" });
    await trial.end(announcement);
    expect(trial.types).toEqual(["registered", "draining", "left"]);
  });

  test("an entry that is lost during the drain is not restored", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    await trial.clock.advance(100);
    await trial.clock.until(announcement.drain(), 100);
    trial.backend.loseData();
    await trial.clock.advance(10 * TTL_MS);
    expect(trial.backend.calls.filter(({ name }) => name === "register")).toHaveLength(1);
    expect(trial.types).toEqual(["registered", "draining"]);
    await trial.end(announcement);
  });

  test("without ever having been listed, it does not wait for callers", async () => {
    const trial = new Trial();
    trial.backend.state = "broken";
    const announcement = trial.announce({ leaveMs: 1_000 });
    await trial.clock.advance(100);
    const startedAt = trial.clock.monotonic();
    await trial.clock.until(announcement.leave(), 10_000);
    expect(trial.clock.monotonic() - startedAt).toBeLessThanOrEqual(1_000);
    expect(announcement.state).toMatchObject({ status: "left", reason: { code: "CONNECTIVITY_REFUSED" } });
    expect(trial.clock.pendingTimers).toBe(0);
  });

  test.each(["broken", "hanging"] as const)("ends in bounded time with a %s backend", async (state) => {
    const trial = new Trial();
    const announcement = trial.announce({ leaveMs: 2_000, drainMs: 1_000 });
    await trial.clock.advance(100);
    trial.backend.state = state;
    const startedAt = trial.clock.monotonic();
    await trial.clock.until(announcement.leave(), 60_000);
    // A call in progress, the confirmation of the drain, the wait, a call in progress, the removal.
    expect(trial.clock.monotonic() - startedAt).toBeLessThanOrEqual(5_000 + 1_000 + 5_000 + 2_000);
    expect(announcement.state).toMatchObject({ status: "left", reason: { code: expect.any(String) } });
    expect(trial.clock.pendingTimers).toBe(0);
    expect(trial.backend.openRegistrations).toBe(0);
  });

  test("a drain that the backend confirms late is confirmed to the caller", async () => {
    const trial = new Trial();
    const announcement = trial.announce();
    await trial.clock.advance(100);
    trial.backend.state = "broken";
    const draining = announcement.drain();
    await trial.clock.advance(2_000);
    trial.backend.state = "working";
    await trial.clock.until(draining, 5_100);
    expect(trial.listed).toEqual([]);
    await trial.end(announcement);
  });

  test("a call to leave at once ends a wait that has begun", async () => {
    const trial = new Trial();
    const announcement = trial.announce({ drainMs: 60_000 });
    await trial.clock.advance(100);
    const leaving = announcement.leave();
    await trial.clock.advance(2_000);
    expect(announcement.state.status).toBe("draining");
    await trial.clock.until(announcement.leave({ isImmediate: true }), 100);
    await leaving;
    expect(trial.clock.pendingTimers).toBe(0);
  });

  test("every wait ends with its signal, and what was begun continues", async () => {
    const trial = new Trial();
    trial.backend.state = "hanging";
    const announcement = trial.announce();
    const stop = new AbortController();
    const { signal } = stop;
    const ready = announcement.ready({ signal: AbortSignal.abort() });
    await expect(ready).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    const waits = ["untilLeft", "drain", "leave"] as const;
    const settled = Promise.allSettled(waits.map((name) => announcement[name]({ signal })));
    stop.abort();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "LIFECYCLE_ABORTED" } });
    }
    await trial.clock.until(announcement.untilLeft(), 60_000);
    expect(announcement.state.status).toBe("left");
  });

  test("a registration whose disposal fails or hangs is a warning", async () => {
    for (const dispose of [
      () => Promise.reject(new Error("no")),
      () => Promise.withResolvers<void>().promise,
    ]) {
      const trial = new Trial();
      const { registrar } = trial.backend;
      const hanging: Registrar = {
        kind: "hanging",
        open: (node, context) =>
          Object.assign(registrar.open(node, context), { [Symbol.asyncDispose]: dispose }),
      };
      const announcement = trial.announce({ registrar: hanging, drainMs: 0, leaveMs: 700 });
      await trial.clock.advance(100);
      await trial.clock.until(announcement.leave(), 1_000);
      expect(trial.warnings).toHaveLength(1);
      expect(announcement.state.status).toBe("left");
      expect(trial.clock.pendingTimers).toBe(0);
    }
  });

  test("a finish that throws or takes too long is a warning, and it leaves", async () => {
    for (const finish of [
      () => Promise.reject(new Error("cannot close")),
      () => Promise.withResolvers<void>().promise,
    ]) {
      const trial = new Trial();
      const announcement = trial.announce({ finish, finishMs: 700, drainMs: 0 });
      await trial.clock.advance(100);
      await trial.clock.until(announcement.leave(), 1_000);
      expect(trial.warnings.map(({ code }) => code)).toEqual([
        trial.clock.monotonic() < 700 ? "LIFECYCLE_CONSUMER_FAILED" : "LIFECYCLE_DRAIN_DEADLINE",
      ]);
      expect(trial.clock.pendingTimers).toBe(0);
    }
  });
});

describe("the options of announce", () => {
  test("a listener that throws or leaves in the middle of an event changes no order", async () => {
    const trial = new Trial();
    const announcement = trial.announce({ drainMs: 0 });
    announcement.onChange(({ type }) => {
      if (type === "registered") void announcement.leave();
      throw new Error("a bug");
    });
    const seen: string[] = [];
    announcement.onChange(({ type }) => seen.push(type));
    await trial.clock.until(announcement.untilLeft(), 1_000);
    expect(seen).toEqual(["registered", "draining", "left"]);
    expect(trial.warnings.map(({ code }) => code)).toEqual(Array(3).fill("LIFECYCLE_CONSUMER_FAILED"));
    await announcement.leave();
  });

  test("settings that weaken security are warnings", async () => {
    const trial = new Trial();
    const { registrar } = trial.backend;
    const insecure: Registrar = {
      kind: "insecure",
      open: (node, context) =>
        Object.assign(registrar.open(node, context), {
          audit: () => [{ code: "CONNECTIVITY_INSECURE", message: "no TLS" }],
        }),
    };
    const announcement = trial.announce({ registrar: insecure });
    expect(trial.warnings).toMatchObject([{ code: "CONNECTIVITY_INSECURE" }]);
    await trial.end(announcement);
  });

  test("refuses a malformed member and malformed durations", () => {
    const trial = new Trial();
    expect(() => trial.announce({ self: { ...self, port: 0 } })).toThrow(
      expect.objectContaining({ code: "VALIDATION_MALFORMED" }),
    );
    for (const drainMs of [-1, Infinity, NaN]) {
      expect(() => trial.announce({ drainMs })).toThrow(
        expect.objectContaining({ code: "VALIDATION_MALFORMED", details: { path: "drainMs" } }),
      );
    }
    expect(trial.clock.pendingTimers).toBe(0);
  });

  test("listens for signals only if it is asked to, and stops at the end", async () => {
    const before = process.listenerCount("SIGTERM");
    const trial = new Trial();
    const quiet = trial.announce();
    expect(process.listenerCount("SIGTERM")).toBe(before);
    await trial.end(quiet);
    const listening = trial.announce({ signals: true });
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    expect(process.listenerCount("SIGINT")).toBeGreaterThan(0);
    await trial.end(listening);
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
