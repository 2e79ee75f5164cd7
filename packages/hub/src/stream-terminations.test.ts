import type { StreamTerminatedEvent } from "@holdfast/core";
import { expect, test } from "vitest";
import { StreamTerminations } from "./stream-terminations.ts";

const terminationOf = (providerId: string, seqNo: number): StreamTerminatedEvent => ({
  kind: "stream_terminated",
  providerId,
  reason: { kind: "ended" },
  snapshotHash: "0",
  epoch: "e",
  seqNo,
  at: 0,
});

test("keeps the last termination of each provider, oldest first", () => {
  const terminations = new StreamTerminations();
  for (const [i, id] of ["p", "q", "p"].entries()) terminations.add(terminationOf(id, i));
  expect(terminations.events.map(({ providerId, seqNo }) => [providerId, seqNo])).toEqual([
    ["q", 1],
    ["p", 2],
  ]);
});

test("keeps the terminations of at most 1,000 providers, and drops the oldest", () => {
  const terminations = new StreamTerminations();
  for (let i = 0; i < 1_200; i++) terminations.add(terminationOf(`p-${i}`, i));
  const kept = terminations.events.map(({ providerId }) => providerId);
  expect(kept).toHaveLength(1_000);
  expect(kept[0]).toBe("p-200");
  expect(kept.at(-1)).toBe("p-1199");
});
