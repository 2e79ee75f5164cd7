import { expect, test } from "vitest";
import { SequenceGuard } from "./sequence-guard.ts";

test("an old or repeated sequence number is refused with an error that contains both numbers", () => {
  // R3.1, R5.5
  const guard = new SequenceGuard();
  guard.accept({ epoch: "e1", seqNo: 4 });
  for (const seqNo of [4, 3]) {
    expect(() => guard.accept({ epoch: "e1", seqNo })).toThrow(
      expect.objectContaining({
        code: "ORDER_STALE_SEQUENCE",
        details: { received: seqNo, last: 4, receivedEpoch: "e1", lastEpoch: "e1" },
      }),
    );
  }
  guard.accept({ epoch: "e1", seqNo: 5 });
  expect(guard.last).toEqual({ epoch: "e1", seqNo: 5 });
});

test("a later epoch starts at one again; an earlier one is stale whatever its number", () => {
  const guard = new SequenceGuard({ epoch: "e2", seqNo: 9 });
  expect(() => guard.check({ epoch: "e1", seqNo: 100 })).toThrow("[ORDER_STALE_SEQUENCE]");
  guard.accept({ epoch: "e3", seqNo: 1 });
  expect(guard.last).toEqual({ epoch: "e3", seqNo: 1 });
});

test("check does not remember the point, so that failed work can be repeated", () => {
  const guard = new SequenceGuard();
  guard.check({ epoch: "e1", seqNo: 1 });
  guard.check({ epoch: "e1", seqNo: 1 });
  guard.accept({ epoch: "e1", seqNo: 1 });
  expect(() => guard.check({ epoch: "e1", seqNo: 1 })).toThrow("[ORDER_STALE_SEQUENCE]");
});
