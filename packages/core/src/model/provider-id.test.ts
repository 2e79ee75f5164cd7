import { expect, test } from "vitest";
import { providerIdSchema } from "./provider-id-schema.ts";
import { isProviderId } from "./provider-id.ts";

test.each(["", ".a", "_a", "-a", "a b", "a/b", "a\n", "é", "x".repeat(64), 5, null, undefined])(
  "%j is not a provider id",
  (id) => {
    expect(isProviderId(id)).toBe(false);
    expect(providerIdSchema.safeParse(id).success).toBe(false);
  },
);

test.each(["a", "0", "A.b_c-9", "x".repeat(63)])("%j is a provider id", (id) => {
  expect(isProviderId(id)).toBe(true);
  expect(providerIdSchema.safeParse(id).success).toBe(true);
});
