import { expect } from "vitest";
import { eventually, type HttpGateway } from "@holdfast-apps/lab";
import type { RealService } from "./real-service.ts";

/** Stops the service, and checks what must hold at the end of every scenario in which no backend was ever empty. */
export async function stopInOrder(started: RealService, gateways: readonly HttpGateway[]): Promise<void> {
  const { service: running, events, journal, placement, partition } = started;
  expect(await running.stop()).toMatchObject({ unfinished: [] });
  // R3.5
  for (const port of [placement, partition])
    expect(port.notices.at(-1)).toMatchObject({ kind: "status_changed", to: "draining" });
  expect(events.map(({ seqNo }) => seqNo)).toEqual(events.map((_, i) => i + 1));
  // R3.3: one tick after the other, Partition before Placement, and the leases in the same tick.
  const calls = journal.lines().filter((line) => !line.includes("notify") && !line.startsWith("remoting"));
  expect(calls).toEqual(
    placement.ticks.flatMap(({ seqNo }) => [
      `partition.applySnapshot ${seqNo}`,
      `placement.applySnapshot ${seqNo}`,
      `partition.publishLeases ${seqNo}`,
    ]),
  );
  // R3.4: a port receives the switch to a provider before its snapshot.
  for (const notice of placement.notices) {
    if (notice.kind !== "provider_changed") continue;
    const notified = journal.calls.findIndex((call) => call.method === "notify" && call.notice === notice);
    const after = journal.calls.slice(notified);
    const next = after.find((call) => call.port === "placement" && call.method === "applySnapshot");
    if (next?.method === "applySnapshot") expect(next.tick.snapshot.providerId).toBe(notice.to);
  }
  // No snapshot was ever empty.
  for (const { snapshot } of placement.ticks) expect(snapshot.members.size).toBeGreaterThan(0);
  // No connection stays open.
  await eventually(() => expect(gateways.filter(({ connections }) => connections > 0)).toEqual([]));
}
