import { ProvisioningError, type TopologyEvent } from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { node } from "../test/create-running-hub.ts";
import { WatchHub } from "./watch-hub.ts";

const unavailable = (status: number) =>
  new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `10.0.0.1:8500 answered ${status}`, {
    details: { address: "10.0.0.1:8500", status },
  });
const reasonOf = (status: number) => ({
  code: "CONNECTIVITY_UNAVAILABLE",
  message: `10.0.0.1:8500 answered ${status}`,
  details: { address: "10.0.0.1:8500", status },
});

function setUpPair() {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: [node("a")] });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: [node("a")] });
  const source = new Failover({ providers: [primary, backup], clock, random: () => 0.5 });
  const hub = new WatchHub({ source, clock, random: () => 0 });
  const events: TopologyEvent[] = [];
  hub.onEvent((event) => events.push(event));
  return { clock, primary, backup, hub, events };
}

describe("the reason", () => {
  // R5.5
  test("of a failure is in every event, in the state and in the kept termination", async () => {
    const { clock, primary, backup, hub, events } = setUpPair();
    hub.start();
    await clock.settle();
    backup.refuse(unavailable(502));
    backup.fail(unavailable(502));
    primary.refuse(unavailable(503));
    primary.fail(unavailable(503));
    await clock.advance(60_000);
    const of = (kind: string) => events.filter((event) => event.kind === kind);
    expect(of("health_changed")).toContainEqual(
      expect.objectContaining({ providerId: "primary", to: "unreachable", reason: reasonOf(503) }),
    );
    expect(of("stream_terminated")).toContainEqual(
      expect.objectContaining({ providerId: "primary", reason: { kind: "errored", ...reasonOf(503) } }),
    );
    expect(of("status_changed")).toContainEqual(
      expect.objectContaining({ to: "unavailable", cause: reasonOf(503) }),
    );
    expect(hub.terminations()).toMatchObject([{ reason: reasonOf(502) }, { reason: reasonOf(503) }]);
    expect(hub.state.statusReason).toContain("10.0.0.1:8500 answered 503");
    expect(hub.state.statusCause).toEqual(reasonOf(503));
    await hub[Symbol.asyncDispose]();
  });

  // R5.5
  test("of a switch is the failure of the previous provider", async () => {
    const { clock, primary, hub, events } = setUpPair();
    hub.start();
    await clock.settle();
    for (let i = 0; i < 3; i++) {
      primary.refuse(unavailable(503));
      primary.fail(unavailable(503));
      await clock.advance(5_000);
    }
    expect(events.find(({ kind }) => kind === "provider_changed")).toMatchObject({
      reason: "errors",
      cause: reasonOf(503),
    });
    await hub[Symbol.asyncDispose]();
  });

  // R5.5
  test("of the status changes with its cause without further events", async () => {
    const clock = new VirtualClock();
    const primary = new MemoryProvider({ id: "primary", clock, members: [node("a")] });
    const health = { maxErrors: 10, timeoutMs: 600_000 };
    const source = new Failover({ providers: [primary], clock, random: () => 0.5, health });
    const hub = new WatchHub({ source, clock, random: () => 0 });
    const events: TopologyEvent[] = [];
    hub.onEvent((event) => events.push(event));
    primary.refuse(unavailable(501));
    hub.start();
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "starting", statusCause: reasonOf(501) });
    expect(hub.state.statusReason).toBe(
      "no snapshot has been received yet: primary is degraded (CONNECTIVITY_UNAVAILABLE): 10.0.0.1:8500 answered 501",
    );
    primary.recover();
    await clock.advance(20_000);
    expect(hub.state).toMatchObject({ status: "ready", statusCause: undefined });
    primary.refuse(unavailable(502));
    primary.fail(unavailable(503));
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "degraded", statusCause: reasonOf(503) });
    const { seqNo } = hub.state;
    await clock.advance(20_000);
    expect(hub.state).toMatchObject({ seqNo, status: "degraded", statusCause: reasonOf(502) });
    await hub[Symbol.asyncDispose]();
  });
});
