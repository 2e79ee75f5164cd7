import { createSnapshot, MemberSet, type SkippedEntries } from "@holdfast/core";
import { expect, test } from "vitest";
import { IncompleteEntries } from "./incomplete-entries.ts";

const bad = (count: number): SkippedEntries => ({ count, reasons: ["too long"] });

function setUp() {
  const incomplete = new IncompleteEntries();
  return (skipped?: SkippedEntries, trimmed?: SkippedEntries, providerId = "p") =>
    incomplete
      .warningsFor(createSnapshot({ providerId, members: MemberSet.empty, observedAt: 0, skipped, trimmed }))
      .map(({ message }) => message);
}

// C3
test("skipped entries and truncated members cause separate warnings, each with count and reasons", () => {
  const incomplete = new IncompleteEntries();
  const snapshot = createSnapshot({
    providerId: "p",
    members: MemberSet.empty,
    observedAt: 0,
    skipped: bad(2),
    trimmed: bad(3),
  });
  expect(incomplete.warningsFor(snapshot)).toEqual([
    {
      code: "STREAM_INVALID_DATA",
      message: '[STREAM_INVALID_DATA] 2 entries of "p" could not be read and were left out',
      providerId: "p",
      details: { count: 2, reasons: ["too long"] },
    },
    {
      code: "STREAM_INVALID_DATA",
      message:
        '[STREAM_INVALID_DATA] 3 members of "p" were truncated, because their tags or metadata exceed a limit',
      providerId: "p",
      details: { count: 3, reasons: ["too long"] },
    },
  ]);
});

test("repeats a warning only when its content or its provider changes, or after a snapshot without it", () => {
  const warn = setUp();
  expect(warn(bad(1)).length).toBe(1);
  expect(warn(bad(1)).length).toBe(0);
  expect(warn(bad(2)).length).toBe(1);
  expect(warn(bad(2), bad(2)).length).toBe(1);
  expect(warn({ count: 0, reasons: [] }, bad(2)).length).toBe(0);
  expect(warn(bad(2), bad(2)).length).toBe(1);
  expect(warn(bad(2), bad(2), "q").length).toBe(2);
  expect(warn().length).toBe(0);
});
