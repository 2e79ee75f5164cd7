import { describe, expect, test } from "vitest";
import { parseWatchLine } from "./watch-line.ts";

const slice = { metadata: { name: "s", namespace: "n", resourceVersion: "8" } };
const line = (type: unknown, object: unknown): string => JSON.stringify({ type, object });

describe("parseWatchLine", () => {
  test.each([
    ["ADDED", "put"],
    ["MODIFIED", "put"],
    ["DELETED", "delete"],
  ])("%s is %s", (type, expected) => {
    expect(parseWatchLine(line(type, slice))).toEqual({
      type: expected,
      key: "n/s",
      object: slice,
      resourceVersion: "8",
    });
  });

  test("a bookmark contains only a version", () => {
    expect(parseWatchLine(line("BOOKMARK", { metadata: { resourceVersion: "9" } }))).toEqual({
      type: "bookmark",
      resourceVersion: "9",
    });
  });

  test.each([
    [{ code: 410, reason: "Expired" }, 410, undefined],
    [{ reason: "Expired" }, 410, undefined],
    [{ code: 0, reason: "Gone" }, 410, undefined],
    [{ code: 504, reason: "Timeout", details: { retryAfterSeconds: 1 } }, 504, 1_000],
    [{ code: 429, details: { retryAfterSeconds: 0 } }, 429, undefined],
    [{ code: "410" }, 500, undefined],
    [{ code: 99 }, 500, undefined],
    [{ code: 410.5 }, 500, undefined],
    [{ code: 429, details: { retryAfterSeconds: 1e300 } }, 429, 86_400_000],
    [null, 500, undefined],
  ])("an ERROR of %j has status %i", (object, status, retryAfterMs) => {
    expect(parseWatchLine(line("ERROR", object))).toEqual({ type: "error", status, retryAfterMs });
  });

  test.each([
    ["invalid JSON", '{"hunter2'],
    ["not an object", "7"],
    ["null", "null"],
    ["another type", line("SYNC", slice)],
    ["a name that every object has", line("toString", slice)],
    ["no type", line(undefined, slice)],
    ["no object in the event", line("ADDED", null)],
    ["no version", line("ADDED", { metadata: { name: "s", namespace: "n" } })],
    ["an empty version", line("BOOKMARK", { metadata: { resourceVersion: "" } })],
    ["a version that is a number", line("BOOKMARK", { metadata: { resourceVersion: 9 } })],
    ["no name", line("DELETED", { metadata: { resourceVersion: "8" } })],
  ])("%s leads to STREAM_INVALID_DATA without its text", (_, text) => {
    let error: unknown;
    try {
      parseWatchLine(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "STREAM_INVALID_DATA" });
    expect(error).not.toHaveProperty("cause");
    expect(String(error)).not.toContain("hunter2");
  });
});
