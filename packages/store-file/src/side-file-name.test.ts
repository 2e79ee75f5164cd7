import { expect, test } from "vitest";
import { claimName, parseSideFile, temporaryName } from "./side-file-name.ts";

const parts = {
  generation: 8,
  writer: { pid: 4_711, startTime: "1780" },
  place: "0123456789ab",
  instance: "ba9876543210",
};

test("a name can be parsed back into its parts", () => {
  const name = temporaryName("providers.jsonl", { ...parts, random: "00ff" });
  expect(name).toBe(".providers.jsonl.8.4711-1780-0123456789ab.ba9876543210-00ff.tmp");
  expect(parseSideFile("providers.jsonl", name)).toEqual({ kind: "temporary", ...parts });
  expect(parseSideFile("providers.jsonl", claimName("providers.jsonl", 8, 2))).toEqual({
    kind: "claim",
    generation: 8,
  });
});

test("a platform without start times leaves it out", () => {
  const writer = { pid: 4_711, startTime: "" };
  const name = temporaryName("a", { ...parts, writer, random: "00ff" });
  expect(parseSideFile("a", name)).toEqual({ kind: "temporary", ...parts, writer });
});

test.each([
  "",
  "a",
  ".a.tmp",
  ".a.1.claim",
  ".a.x.0.claim",
  ".a.1.0.claim.bak",
  ".a.1.2-3-4.5.tmp",
  "xa.1.0.claim",
])("%j is not a side file", (name) => {
  expect(parseSideFile("a", name)).toBeUndefined();
});

test("a side file of a file with a longer or shorter name is not recognised", () => {
  for (const [one, other] of [
    ["a", "a.1"],
    ["a", "a.1.2"],
    ["a", "a.1.2-3-4"],
  ] as const) {
    for (const [mine, theirs] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(parseSideFile(mine, claimName(theirs, 1, 0))).toBeUndefined();
      expect(parseSideFile(mine, temporaryName(theirs, { ...parts, random: "00ff" }))).toBeUndefined();
    }
  }
});
