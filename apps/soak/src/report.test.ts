import { expect, test } from "vitest";
import { judgeEnd, judgeTrend } from "./judge.ts";
import { toReport } from "./report.ts";
import { resultOf } from "../test/sample-result.ts";

test("the report says at its end whether all holds, and names in its judgement what does not", () => {
  const good = resultOf();
  expect(toReport(good, [...judgeEnd(good), ...judgeTrend(good)])).toMatch(/\nVerdict: everything holds\n$/);
  const bad = { ...good, differences: ["members: 9 instead of 10"] };
  const report = toReport(bad, [...judgeEnd(bad), ...judgeTrend(bad)]);
  expect(report).toMatch(/\nVerdict: 1 of \d+ do not hold\n$/);
  expect(report).toMatch(/^FAILS {2}in the end .* members: 9 instead of 10$/m);
});

test("the report has what was measured in the columns of its time", () => {
  const MIB = 1_048_576;
  const report = toReport(
    resultOf((sample, at) => ({ ...sample, heapBytes: (50 + Math.floor(at * 4)) * MIB })),
    [],
  );
  expect(report).toMatch(/^heap, MiB +50 +50 +51 +52 +53 +53 +54 +11\.3$/m);
});
