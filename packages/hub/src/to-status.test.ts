import { createClusterNode, createSnapshot, MemberSet } from "@holdfast/core";
import { expect, test } from "vitest";
import { toStatus, type StatusInput } from "./to-status.ts";

const members = MemberSet.from(
  ["a", "b"].map((id) => createClusterNode({ id, host: `${id}.test`, port: 80 })),
);
const snapshot = createSnapshot({ providerId: "p", members, observedAt: 0 });
const cause = { code: "CONNECTIVITY_REFUSED", message: "refused" } as const;
const running: StatusInput = {
  lifecycle: "running",
  lifecycleReason: "",
  availability: "available",
  availabilityReason: "p is healthy",
  availabilityCause: undefined,
  snapshot,
  holds: [],
};
const failing = { availabilityReason: "p fails", availabilityCause: cause };

// R2.4 R3.5 R5.3 R5.5
test.each<[string, Partial<StatusInput>, object]>([
  ["current content", {}, { status: "ready", reason: '"p" is current' }],
  [
    "no content",
    { snapshot: undefined },
    { status: "starting", reason: "no snapshot has been received yet" },
  ],
  [
    "no content and a failure",
    { snapshot: undefined, availability: "degraded", ...failing },
    { status: "starting", reason: "no snapshot has been received yet: p fails", cause },
  ],
  [
    "no members",
    { snapshot: createSnapshot({ ...snapshot, members: MemberSet.empty }) },
    { status: "empty", reason: '"p" reports no members' },
  ],
  [
    "no members, from a provider that no longer confirms it",
    {
      snapshot: createSnapshot({ ...snapshot, members: MemberSet.empty }),
      availability: "degraded",
      ...failing,
    },
    { status: "empty", reason: '"p" reports no members; p fails', cause },
  ],
  [
    "degraded content",
    { availability: "degraded", ...failing },
    { status: "degraded", reason: "p fails", cause },
  ],
  [
    "no provider",
    { availability: "unavailable", ...failing },
    { status: "unavailable", reason: "p fails", cause },
  ],
  [
    "one retained member",
    { snapshot: createSnapshot({ ...snapshot, retained: ["a"] }) },
    { status: "degraded", reason: '1 of the 2 members are not listed by "p": a guard keeps them' },
  ],
  [
    "only retained members, with the reason of the hold",
    {
      snapshot: createSnapshot({ ...snapshot, retained: ["a", "b"] }),
      holds: [
        { guard: "mass_removal", providerId: "p", nodes: 2, until: 1, reason: "the provider lost its data" },
      ],
    },
    { status: "degraded", reason: '"p" reports no members: the provider lost its data' },
  ],
  [
    "a drain, in every other state",
    { lifecycle: "draining", lifecycleReason: "shutting down", availability: "unavailable" },
    { status: "draining", reason: "shutting down" },
  ],
  [
    "a stop",
    { lifecycle: "stopped", lifecycleReason: "disposed" },
    { status: "stopped", reason: "disposed" },
  ],
])("%s", (_, changes, expected) => {
  expect(toStatus({ ...running, ...changes })).toEqual(expected);
});
