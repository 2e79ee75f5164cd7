import { expect, test } from "vitest";
import { ProvisioningError } from "./provisioning-error.ts";
import { toReason } from "./reason.ts";

test("a reason has the error's code, its message without the code, and its details", () => {
  const details = { address: "10.0.0.1:8500", status: 503 };
  const error = new ProvisioningError("CONNECTIVITY_UNAVAILABLE", "the agent answered 503", { details });
  expect(toReason(error)).toEqual({
    code: "CONNECTIVITY_UNAVAILABLE",
    message: "the agent answered 503",
    details,
  });
});

test("an error without details gives a reason without details", () => {
  expect(toReason(new ProvisioningError("STREAM_ENDED", "it ended"))).toEqual({
    code: "STREAM_ENDED",
    message: "it ended",
  });
});
