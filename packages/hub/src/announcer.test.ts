import { createClusterNode, createSnapshot, MemberSet, type GuardHold, type Update } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { announce, NOTHING_ANNOUNCED, type Announced, type Announcement } from "./announcer.ts";

const snapshotOf = (providerId: string, ...ids: string[]) =>
  createSnapshot({
    providerId,
    observedAt: 0,
    members: MemberSet.from(ids.map((id) => createClusterNode({ id, host: `${id}.test`, port: 80 }))),
  });
const P = snapshotOf("p", "a");
const P2 = snapshotOf("p", "a", "b");
const Q = snapshotOf("q", "c");
const failure = { code: "CONNECTIVITY_REFUSED", message: "refused" } as const;

const hold = (changes: Partial<GuardHold> = {}): GuardHold => ({
  guard: "removal_dwell",
  providerId: "q",
  nodes: 1,
  until: 10_000,
  reason: "kept",
  ...changes,
});

const quiet: Update = {
  snapshot: undefined,
  isFresh: false,
  availability: "available",
  reason: "p is healthy",
  health: [],
  holds: [],
};
const update = (changes: Partial<Update>): Update => ({ ...quiet, ...changes });
const degraded = { availability: "degraded", reason: "p is degraded", cause: failure } as const;
const unavailable = { availability: "unavailable", reason: "no provider can serve" } as const;
const switched = { from: "p", to: "q", reason: "errors" } as const;
const ended = { providerId: "p", reason: { kind: "ended" }, snapshotHash: P.hash } as const;
const health = [{ providerId: "p", from: "healthy", to: "unreachable" }] as const;

function describeAnnouncement(announcement: Announcement): string {
  switch (announcement.type) {
    case "stream_end":
      return `end of ${announcement.providerId}`;
    case "health":
      return `${announcement.providerId} ${announcement.to}`;
    case "switch":
      return `${announcement.from}>${announcement.to} ${announcement.reason}`;
    case "hold":
      return `${announcement.isHolding ? "holds" : "held"} ${announcement.hold.nodes}`;
    case "content":
      return `content of ${announcement.snapshot.providerId}`;
    case "availability":
      return announcement.availability;
    default:
      return announcement satisfies never;
  }
}

function run(...updates: readonly Partial<Update>[]): readonly string[] {
  let announced: Announced = NOTHING_ANNOUNCED;
  let last: readonly string[] = [];
  for (const changes of updates) {
    const { announcements, after } = announce(announced, update(changes));
    announced = after;
    last = announcements.map(describeAnnouncement);
  }
  return last;
}

// R3.4 R5.3 R2.4 R4.1: each row has updates, and the announcements of the last update in order.
describe("announces", () => {
  test.each<[string, readonly Partial<Update>[], readonly string[]]>([
    ["the first content", [{ snapshot: P }], ["content of p"]],
    [
      "none while waiting for the first content",
      [{ availability: "degraded", reason: "p is connecting" }],
      [],
    ],
    ["a failure before any content", [degraded], ["degraded"]],
    ["no provider at the start", [unavailable], ["unavailable"]],
    [
      "restored content, after the availability",
      [{ ...degraded, snapshot: P, holds: [hold()] }],
      ["holds 1", "degraded", "content of p"],
    ],
    ["none without a change", [{ snapshot: P }, { snapshot: P, isFresh: true }], []],
    ["new content", [{ snapshot: P }, { snapshot: P2 }], ["content of p"]],
    [
      "a failover: end, health, switch, hold, content",
      [{ snapshot: P }, { snapshot: Q, switched, ended, health, holds: [hold()] }],
      ["end of p", "p unreachable", "p>q errors", "holds 1", "content of q"],
    ],
    [
      "a worse availability, before the content",
      [{ snapshot: P }, { ...degraded, snapshot: P2 }],
      ["degraded", "content of p"],
    ],
    [
      "a better availability, after the content",
      [{ snapshot: P }, { ...unavailable, snapshot: P }, { snapshot: P2 }],
      ["content of p", "available"],
    ],
    ["the first content after a failed start", [degraded, { snapshot: P }], ["available", "content of p"]],
    [
      "a new reason of the same availability",
      [
        { ...degraded, snapshot: P },
        { ...degraded, snapshot: P, reason: "p is worse" },
      ],
      ["degraded"],
    ],
    ["none for a new reason of `available`", [{ snapshot: P }, { snapshot: P, reason: "q is healthy" }], []],
    [
      "a hold that ends, after the content",
      [
        { snapshot: P, holds: [hold()] },
        { snapshot: P2, holds: [] },
      ],
      ["content of p", "held 1"],
    ],
    [
      "a hold that changes, after the content",
      [
        { snapshot: P, holds: [hold()] },
        { snapshot: P2, holds: [hold({ nodes: 2 })] },
      ],
      ["content of p", "holds 2"],
    ],
    [
      "a hold with another reason",
      [
        { snapshot: P, holds: [hold()] },
        { snapshot: P, holds: [hold({ reason: "other" })] },
      ],
      ["holds 1"],
    ],
    [
      "none for a hold whose end differs by less than a second",
      [
        { snapshot: P, holds: [hold()] },
        { snapshot: P, holds: [hold({ until: 10_900 })] },
      ],
      [],
    ],
    [
      "a hold of another provider, as a separate hold",
      [
        { snapshot: P, holds: [hold()] },
        { snapshot: P, holds: [hold({ providerId: "r" })] },
      ],
      ["holds 1", "held 1"],
    ],
    [
      "a switch to equal content",
      [{ snapshot: P }, { snapshot: { ...P, providerId: "q" }, switched }],
      ["p>q errors", "content of q"],
    ],
    [
      "a switch before the new provider has content",
      [{ snapshot: P }, { snapshot: P, switched, ...degraded }],
      ["p>q errors", "degraded"],
    ],
    [
      "a second switch, from the provider announced last",
      [
        { snapshot: P },
        { snapshot: P, switched },
        { snapshot: P, switched: { from: "x", to: "r", reason: "timeout" } },
      ],
      ["q>r timeout"],
    ],
    [
      "a switch back before the content",
      [
        { snapshot: P },
        { snapshot: P, switched },
        { snapshot: P, switched: { ...switched, from: "q", to: "p" } },
      ],
      ["q>p errors"],
    ],
    [
      "content of another provider than the restored one, as a switch",
      [{ snapshot: Q, ...degraded }, { snapshot: P }],
      ["q>p recovered", "content of p", "available"],
    ],
    ["the first switch, before any content", [{ switched }], ["p>q errors"]],
  ])("%s", (_, updates, expected) => {
    expect(run(...updates)).toEqual(expected);
  });

  test("the cause of a switch, of a change of health and of an availability", () => {
    const [first, second, third] = announce(
      NOTHING_ANNOUNCED,
      update({
        ...degraded,
        switched: { ...switched, cause: failure },
        health: [{ providerId: "p", from: "healthy", to: "degraded", reason: failure }],
      }),
    ).announcements;
    expect(first).toMatchObject({ type: "health", reason: failure });
    expect(second).toMatchObject({ type: "switch", cause: failure });
    expect(third).toMatchObject({ type: "availability", cause: failure });
  });
});
