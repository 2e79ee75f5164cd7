import { expect, test } from "vitest";
import { toProbeError } from "./probe-error.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

test("toProbeError turns STREAM_FAILED and foreign errors into CONNECTIVITY_REFUSED, and keeps other ProvisioningErrors", () => {
  const broken = new ProvisioningError("STREAM_FAILED", "x", { details: { address: "a" } });
  expect(toProbeError(broken)).toMatchObject({
    code: "CONNECTIVITY_REFUSED",
    cause: broken,
    details: { address: "a" },
  });
  const refused = new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "x");
  expect(toProbeError(refused)).toBe(refused);
  expect(toProbeError("odd")).toMatchObject({ code: "CONNECTIVITY_REFUSED", cause: "odd" });
});
