import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RemoteEventFilter } from "./remote-event-filter.ts";
import { REMOTE_EVENT_ORDER } from "./remote-event-order.ts";
import { type RemoteEventKind, type RemoteTopologyEvent } from "@holdfast/core";
import { nodes } from "../test/scripted-hub.ts";

function event(epoch: string, seqNo: number, id: string, kind: RemoteEventKind): RemoteTopologyEvent {
  const node = nodes(id)[0]!;
  const key = `${epoch}/${seqNo}/${id}/${kind}`;
  return { key, kind, providerId: "primary", node, epoch, seqNo, snapshotHash: "hash", at: 0 };
}

/** A text that sorts in the order of the events. */
const rank = ({ epoch, seqNo, node, kind }: RemoteTopologyEvent) =>
  `${epoch}/${seqNo}/${node.id}/${REMOTE_EVENT_ORDER[kind]}`;

test("repeats and older events are dropped", () => {
  // R4.1
  const filter = new RemoteEventFilter();
  const batch = [event("e1", 3, "a", "leave"), event("e1", 3, "a", "join"), event("e1", 3, "b", "blocked")];
  expect(batch.map((each) => filter.accept(each))).toEqual([true, true, true]);
  expect(batch.map((each) => filter.accept(each))).toEqual([false, false, false]);
  expect(filter.accept(event("e1", 2, "z", "join"))).toBe(false);
  expect(filter.accept(event("e1", 4, "a", "leave"))).toBe(true);
});

test("a batch that failed midway continues where it stopped", () => {
  const filter = new RemoteEventFilter();
  const batch = ["a", "b", "c"].map((id) => event("e1", 1, id, "join"));
  filter.accept(batch[0]!);
  expect(filter.isNew(batch[1]!)).toBe(true);
  expect(batch.map((each) => filter.accept(each))).toEqual([false, true, true]);
});

test("after a restart of the sender a new epoch starts at one again, and events of the old one are dropped", () => {
  // R4.1
  const filter = new RemoteEventFilter();
  filter.accept(event("e1", 100, "a", "join"));
  expect(filter.accept(event("e2", 1, "a", "join"))).toBe(true);
  expect(filter.accept(event("e1", 101, "a", "leave"))).toBe(false);
});

test("each event of an ordered stream with arbitrary repeats and late events passes once, in order", () => {
  const kinds: RemoteEventKind[] = ["leave", "join", "blocked", "unblocked"];
  const places = fc.tuple(
    fc.constantFrom("e1", "e2"),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom("a", "b", "c"),
    fc.constantFrom(...kinds),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(places, { selector: String }),
      fc.infiniteStream(fc.nat(5)),
      (chosen, back) => {
        const ordered = chosen.map((place) => event(...place)).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
        const filter = new RemoteEventFilter();
        const passed = ordered.flatMap((_, i) => {
          const from = Math.max(0, i - (back.next().value ?? 0));
          return ordered.slice(from, i + 1).filter((each) => filter.accept(each));
        });
        expect(passed).toEqual(ordered);
      },
    ),
  );
});
