import { expect, test } from "vitest";
import { SequenceGuard } from "./sequence-guard.ts";

test("a sequence number that is old or repeated is refused, naming both", () => {
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

test("a later epoch starts over; an earlier one is stale however large its number", () => {
  const guard = new SequenceGuard({ epoch: "e2", seqNo: 9 });
  expect(() => guard.check({ epoch: "e1", seqNo: 100 })).toThrow("[ORDER_STALE_SEQUENCE]");
  guard.accept({ epoch: "e3", seqNo: 1 });
  expect(guard.last).toEqual({ epoch: "e3", seqNo: 1 });
});

test("checking does not remember, so work that failed can be tried again", () => {
  const guard = new SequenceGuard();
  guard.check({ epoch: "e1", seqNo: 1 });
  guard.check({ epoch: "e1", seqNo: 1 });
  guard.accept({ epoch: "e1", seqNo: 1 });
  expect(() => guard.check({ epoch: "e1", seqNo: 1 })).toThrow("[ORDER_STALE_SEQUENCE]");
});
