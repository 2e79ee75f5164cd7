import { describe, expect, test } from "vitest";
import { toListPage } from "./list-page.ts";

describe("toListPage", () => {
  test.each([
    [
      { metadata: { resourceVersion: "7" }, items: [1] },
      { items: [1], continueAt: undefined },
    ],
    [
      { metadata: { resourceVersion: "7", continue: "" }, items: null },
      { items: [], continueAt: undefined },
    ],
    [
      { metadata: { resourceVersion: "7", continue: "c" }, items: [] },
      { items: [], continueAt: "c" },
    ],
  ])("reads %j", (answer, expected) => {
    expect(toListPage(answer, "EndpointSliceList")).toEqual({ resourceVersion: "7", ...expected });
  });

  test.each([
    ["not an object", "ok"],
    ["a Status", { kind: "Status", metadata: {} }],
    ["no items", { metadata: { resourceVersion: "7" } }],
    ["items that are not a list", { metadata: { resourceVersion: "7" }, items: {} }],
    ["no version", { metadata: {}, items: [] }],
    ["version 7", { metadata: { resourceVersion: 7 }, items: [] }],
    ["null", null],
  ])("rejects %s", (_, answer) => {
    expect(() => toListPage(answer, "EndpointSliceList")).toThrow(
      expect.objectContaining({ code: "STREAM_INVALID_DATA" }),
    );
  });
});
