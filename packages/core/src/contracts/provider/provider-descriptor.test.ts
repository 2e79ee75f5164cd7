import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareDescriptors, descriptorInputSchema, type ProviderDescriptor } from "./provider-descriptor.ts";
import { providerIdSchema } from "../../model/provider-id.ts";
import { toValidationProblems } from "../../errors/validation-problem.ts";

describe("descriptorInputSchema", () => {
  test("accepts a descriptor and leaves params to the adapter", () => {
    const input = {
      id: "eu-1.a_b",
      kind: "file",
      priority: -5,
      params: { path: "x", nested: { deep: [1] } },
    };
    expect(descriptorInputSchema.parse(input)).toEqual(input);
  });

  test("names every problem of a descriptor", () => {
    const input = { id: "-x", priority: 1.5, params: [], disabled: {} };
    const problems = toValidationProblems(descriptorInputSchema.safeParse(input).error!.issues, input);
    // R1.1
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ["id", "VALIDATION_MALFORMED"],
      ["kind", "VALIDATION_MISSING_FIELD"],
      ["priority", "VALIDATION_MALFORMED"],
      ["params", "VALIDATION_MALFORMED"],
      ["disabled", "VALIDATION_MALFORMED"],
    ]);
  });
});

test.each(["", ".a", "_a", "-a", "a b", "a/b", "a\n", "é", "x".repeat(64)])("%j is no provider id", (id) => {
  expect(providerIdSchema.safeParse(id).success).toBe(false);
});

test.each(["a", "0", "A.b_c-9", "x".repeat(63)])("%j is a provider id", (id) => {
  expect(providerIdSchema.safeParse(id).success).toBe(true);
});

test("descriptors are ordered by priority, highest first, then by id", () => {
  const descriptor: fc.Arbitrary<ProviderDescriptor> = fc.record({
    id: fc.constantFrom("a", "B", "b", "a-1", "é"),
    kind: fc.constant("k"),
    priority: fc.constantFrom(-1, 0, 1, 1_000_000),
    params: fc.constant({}),
  });
  fc.assert(
    fc.property(fc.array(descriptor), (all) => {
      // R2.5
      const sorted = all.toSorted(compareDescriptors);
      for (let i = 1; i < sorted.length; i++) {
        const [a, b] = [sorted[i - 1]!, sorted[i]!];
        expect(a.priority > b.priority || (a.priority === b.priority && a.id <= b.id)).toBe(true);
      }
    }),
  );
});
