import { expect, test } from "vitest";
import { ProvisioningError } from "./provisioning-error.ts";
import { requestedWaitMs } from "./requested-wait.ts";

test.each([
  [500, 500],
  [5_000, 1_000],
  [0, 0],
  [-1, 0],
  [Number.NaN, 0],
  ["500", 0],
  [undefined, 0],
])("retryAfterMs %j with a limit of 1000 ms is a wait of %i ms", (retryAfterMs, expected) => {
  const error = new ProvisioningError("CONNECTIVITY_OVERLOADED", "busy", { details: { retryAfterMs } });
  expect(requestedWaitMs(error, 1_000)).toBe(expected);
});

test("without an error there is no wait", () => {
  expect(requestedWaitMs(undefined, 1_000)).toBe(0);
});
