import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareDescriptors, type ProviderDescriptor } from "./provider-descriptor.ts";

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
