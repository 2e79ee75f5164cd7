import { expect, test } from "vitest";
import { judgeEnd, judgeTrend } from "./judge.ts";
import { toReport } from "./report.ts";
import { resultOf } from "../test/sample-result.ts";

test("the report ends with the verdict and lists the requirements that are not met", () => {
  const good = resultOf();
  expect(toReport(good, [...judgeEnd(good), ...judgeTrend(good)])).toMatch(
    /\nVerdict: all requirements are met\n$/,
  );
  const bad = { ...good, differences: ["members: 9 instead of 10"] };
  const report = toReport(bad, [...judgeEnd(bad), ...judgeTrend(bad)]);
  expect(report).toMatch(/\nVerdict: 1 of \d+ requirements are not met\n$/);
  expect(report).toMatch(/^FAILED {2}at the end, .* members: 9 instead of 10$/m);
});

test("the report shows each measurement in the column of its quarter", () => {
  const MIB = 1_048_576;
  const report = toReport(
    resultOf((sample, at) => ({ ...sample, heapBytes: (50 + Math.floor(at * 4)) * MIB })),
    [],
  );
  expect(report).toMatch(/^heap, MiB +50 +50 +51 +52 +53 +53 +54 +11\.3$/m);
});
