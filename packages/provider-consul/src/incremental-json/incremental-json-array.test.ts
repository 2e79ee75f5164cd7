import { systemClock } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IncrementalJsonArray } from "./incremental-json-array.ts";

const { signal } = new AbortController();

function createArray(maxEntries = 1_000): IncrementalJsonArray<unknown> {
  return new IncrementalJsonArray({
    maxEntries,
    clock: systemClock,
    toNotAnArray: (byteLength) => new Error(`${byteLength} bytes are not an array`),
    toTooMany: () => new Error(`more than ${maxEntries}`),
  });
}

const same = (element: unknown): unknown => element;

describe("IncrementalJsonArray", () => {
  test("returns the values of the last text, and reports the replaced and the new values", async () => {
    const element = fc.oneof(
      fc.constantFrom(1, 2, 3, "]", '"', {}, [], "é🌊", { a: [1, "],["] }),
      fc.jsonValue(),
    );
    const texts = fc.array(fc.tuple(fc.array(element, { maxLength: 8 }), fc.constantFrom(0, 2, "\t")), {
      minLength: 2,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(texts, async (versions) => {
        const array = createArray();
        for (const [values, space] of versions) {
          const text = JSON.stringify(values, undefined, space);
          const before = array.values;
          const change = await array.update(Buffer.from(text), same, signal);
          expect(array.values).toEqual(JSON.parse(text));
          if (change === "same") continue;
          expect(before.length - change.gone.length + change.entries.length).toBe(array.values.length);
        }
      }),
    );
  });

  test("parses one element when one of many has changed", async () => {
    const values = Array.from({ length: 2_000 }, (_, id) => ({ id, text: "x".repeat(20) }));
    const array = createArray(2_000);
    await array.update(Buffer.from(JSON.stringify(values)), same, signal);
    values[700] = { id: 700, text: "changed" };
    const read: unknown[] = [];
    const change = await array.update(
      Buffer.from(JSON.stringify(values)),
      (element) => {
        read.push(element);
        return element;
      },
      signal,
    );
    expect(read).toEqual([values[700]]);
    expect(change).toEqual({ gone: [{ id: 700, text: "x".repeat(20) }], entries: [values[700]] });
  });

  test("keeps its values when a text is rejected", async () => {
    const array = createArray(3);
    await array.update(Buffer.from("[1,2]"), same, signal);
    await expect(array.update(Buffer.from("[1,2,3,4]"), same, signal)).rejects.toThrow("more than 3");
    await expect(array.update(Buffer.from("[1,2,x]"), same, signal)).rejects.toThrow(
      "7 bytes are not an array",
    );
    await expect(array.update(Buffer.from([0x5b, 0xff, 0x5d]), same, signal)).rejects.toThrow("3 bytes");
    expect(array.values).toEqual([1, 2]);
    expect(await array.update(Buffer.from("[1,2]"), same, signal)).toBe("same");
    await array.update(Buffer.from("[1,2,3]"), same, signal);
    expect(array.values).toEqual([1, 2, 3]);
  });
});
