import { expect, test } from "vitest";
import { fitConnections, fitFollowers } from "./connection-limit.ts";
import { parseDescriptorLimit, readDescriptorLimit } from "./descriptor-limit.ts";

// R7.6
test.each([
  [300, Infinity, 300],
  [300, 1_024, 300],
  [300, 256, 112],
  [300, 64, 16],
  [300, 20, 4],
  [10, 1_024, 10],
])("%i wanted connections with %d descriptors: %i", (wanted, descriptors, expected) => {
  expect(fitConnections({ wanted, descriptors })).toBe(expected);
});

// R7.6
test.each([
  [100, 300, 100],
  [1_000, 1_200, 1_000],
  [1_000, 496, 372],
  [1_000, 16, 12],
  [1_000, 4, 3],
  [2, 5, 2],
])("%i wanted followers of %i connections: %i", (wanted, connections, expected) => {
  expect(fitFollowers({ wanted, connections })).toBe(expected);
});

/** An excerpt of `/proc/self/limits`. */
function text(soft: string): string {
  return `Limit Soft Hard Units\nMax open files            ${soft}    4096    files     \n`;
}

test("the limit of open files is parsed from the format of Linux", () => {
  expect(parseDescriptorLimit(text("64"))).toBe(64);
  expect(parseDescriptorLimit(text("unlimited"))).toBe(Infinity);
  expect(parseDescriptorLimit("")).toBeUndefined();
  expect(readDescriptorLimit()).toBeGreaterThan(0);
});
