import {
  createClusterNode,
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type TopologyEvent,
} from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { member } from "../../test/served-hub.ts";
import { toEventLine } from "./event-line.ts";
import { createPaint } from "./paint.ts";

const plain = createPaint({ isTty: false, env: {} });
const at = new Date(2026, 10, 23, 9, 5, 3, 42).getTime();
const tick = { epoch: "e", at } as const;

function snapshotOf(ids: readonly string[], blockedNodes: readonly string[] = []) {
  const members = MemberSet.from(ids.map((id) => createClusterNode(member(id))));
  return createSnapshot({ providerId: "primary", members, observedAt: at, blockedNodes });
}

function snapshotEvent(before: readonly string[], after: readonly string[], blocked: readonly string[] = []) {
  const [previous, snapshot] = [snapshotOf(before), snapshotOf(after, blocked)];
  const delta = diffSnapshots(previous, snapshot);
  return { ...tick, seqNo: 2, kind: "snapshot", snapshot, previousHash: previous.hash, delta } as const;
}

function isColoured(env: Record<string, string>, isTty = true): boolean {
  return toEventLine(events.at(-1)![0], { paint: createPaint({ isTty, env }) }).includes("\u001b[");
}

const hold = {
  guard: "removal_dwell",
  providerId: "backup",
  nodes: 2,
  until: 9_000,
  reason: "it took over",
} as const;

const events: readonly (readonly [TopologyEvent, string])[] = [
  [
    { ...tick, seqNo: 8, kind: "guard_changed", isHolding: true, ...hold },
    "#8    guard_changed      removal_dwell holds 2  it took over",
  ],
  [
    { ...tick, seqNo: 9, kind: "guard_changed", isHolding: false, ...hold },
    "#9    guard_changed      removal_dwell released",
  ],
  [snapshotEvent(["a", "b"], ["b", "c"]), "#2    snapshot           2 members from primary  +c  -a"],
  [snapshotEvent([], ["a", "b", "c", "d"]), "#2    snapshot           4 members from primary  +4"],
  [snapshotEvent(["a"], ["a"], ["a"]), "#2    snapshot           1 member from primary  blocked a"],
  [
    { ...tick, seqNo: 3, kind: "provider_changed", from: "primary", to: "backup", reason: "errors" },
    "#3    provider_changed   primary → backup  primary failed",
  ],
  [
    { ...tick, seqNo: 3, kind: "provider_changed", from: "backup", to: "primary", reason: "recovered" },
    "#3    provider_changed   backup → primary  primary has recovered",
  ],
  [
    { ...tick, seqNo: 4, kind: "stream_terminated", providerId: "primary", reason: { kind: "ended" } },
    "#4    stream_terminated  the stream of primary was ended by the backend",
  ],
  [
    {
      ...tick,
      seqNo: 4,
      kind: "stream_terminated",
      providerId: "primary",
      reason: { kind: "errored", code: "STREAM_FAILED" },
    },
    "#4    stream_terminated  the stream of primary failed: STREAM_FAILED",
  ],
  [
    {
      ...tick,
      seqNo: 4,
      kind: "stream_terminated",
      providerId: "primary",
      reason: {
        kind: "errored",
        code: "CONNECTIVITY_UNAVAILABLE",
        message: "10.0.0.1:8500 responded with 503",
      },
    },
    "#4    stream_terminated  the stream of primary failed: CONNECTIVITY_UNAVAILABLE: 10.0.0.1:8500 responded with 503",
  ],
  [
    {
      ...tick,
      seqNo: 6,
      kind: "provider_changed",
      from: "primary",
      to: "backup",
      reason: "errors",
      cause: { code: "STREAM_FAILED", message: "the connection failed" },
    },
    "#6    provider_changed   primary → backup  primary failed: the connection failed",
  ],
  [
    {
      ...tick,
      seqNo: 5,
      kind: "health_changed",
      providerId: "primary",
      from: "healthy",
      to: "degraded",
      reason: { code: "CONNECTIVITY_REFUSED", message: "nothing listens on\n10.0.0.1:8500" },
    },
    "#5    health_changed     primary: healthy → degraded  CONNECTIVITY_REFUSED: nothing listens on\ufffd10.0.0.1:8500",
  ],
  [
    {
      ...tick,
      seqNo: 12345,
      kind: "status_changed",
      from: "ready",
      to: "unavailable",
      isStale: true,
      reason: "none left",
    },
    "#12345 status_changed     ready → unavailable  none left",
  ],
];

describe("toEventLine", () => {
  test.each(events)("formats each kind of event: %#", (event, expected) => {
    expect(toEventLine(event, { paint: plain })).toBe(`09:05:03.042  ${expected}`);
  });

  test("is one line without control characters, whatever names contain", () => {
    const line = toEventLine(snapshotEvent([], ["\u001b[2Jx\n", "y\r\u0085\u2028z"]), { paint: plain });
    expect(line).toContain("+\ufffd[2Jx\ufffd +y\ufffd\ufffd\ufffdz");
  });

  test("has colours only on a terminal that supports them", () => {
    expect(isColoured({ TERM: "xterm" })).toBe(true);
    expect(isColoured({ TERM: "xterm", NO_COLOR: "" })).toBe(true);
    expect(isColoured({ TERM: "xterm", NO_COLOR: "1" })).toBe(false);
    expect(isColoured({ TERM: "dumb" })).toBe(false);
    expect(isColoured({}, false)).toBe(false);
  });
});
