import { expect, test } from "vitest";
import { ProvisioningError } from "./provisioning-error.ts";
import { toReason } from "./reason.ts";

test("a reason has the error's code, its message without the code, and its details", () => {
  const details = { address: "10.0.0.1:8500", status: 503 };
  const error = new ProvisioningError("CONNECTIVITY_UNAVAILABLE", "the agent responded with 503", {
    details,
  });
  expect(toReason(error)).toEqual({
    code: "CONNECTIVITY_UNAVAILABLE",
    message: "the agent responded with 503",
    details,
  });
});

test("an error without details becomes a reason without details", () => {
  expect(toReason(new ProvisioningError("STREAM_ENDED", "it ended"))).toEqual({
    code: "STREAM_ENDED",
    message: "it ended",
  });
});

// R5.5
test("details of any kind become plain JSON of bounded size", () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  const details = {
    index: 12n,
    addresses: ["10.0.0.1:8500", undefined],
    when: () => 1,
    long: "x".repeat(5_000),
    loop,
    many: Array.from({ length: 100 }, (_, i) => i),
  };
  const reason = toReason(new ProvisioningError("STREAM_FAILED", "y".repeat(5_000), { details }));
  expect(reason.message).toHaveLength(1_000);
  expect(reason.details).toMatchObject({ index: "12", addresses: ["10.0.0.1:8500", null] });
  expect(JSON.stringify(reason).length).toBeLessThan(4_000);
});
