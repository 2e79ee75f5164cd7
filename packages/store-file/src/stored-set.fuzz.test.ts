import { createHash } from "node:crypto";
import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  outcomeOf,
  type Mutation,
} from "@holdfast/testing";
import { ERROR_TABLE } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toDescriptorLines } from "./stored-descriptor.ts";
import { decodeSet, encodeSet } from "./stored-set.ts";
import { createDescriptor } from "../test/descriptors.ts";

const SECRET = "canary-7f3a9c-secret";
const FILE = "providers.jsonl";

const SAMPLE = ["a", "b"].map((id) => ({
  ...createDescriptor(id, { note: SECRET, [SECRET]: { list: [1, null, "x"] } }),
  disabled: { code: "VALIDATION_MISSING_CAPABILITY", message: SECRET },
}));

/** A file with these lines and a header that matches them. */
function toFile(lines: readonly (string | Uint8Array)[], header: object = {}): Buffer {
  const body = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")]));
  const sha256 = createHash("sha256").update(body).digest("hex");
  const whole = {
    format: "holdfast-providers",
    version: 1,
    generation: 7,
    count: lines.length,
    sha256,
    ...header,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(whole)}\n`), body]);
}

/**
 * A file that can be decoded can be encoded and decoded again with the same result. A refusal does not quote the file.
 */
async function check(bytes: Uint8Array): Promise<void> {
  const outcome = await outcomeOf(() => decodeSet(bytes, FILE));
  assertUnpolluted();
  if ("error" in outcome) {
    const { error } = outcome;
    expect(error.code).toBe("STORE_CORRUPTED");
    expect(error.details).toMatchObject({ file: FILE, line: expect.any(Number), reason: expect.any(String) });
    expect(findSecret(allTextOf(error), SECRET)).toEqual([]);
    return;
  }
  const { descriptors, version } = outcome.value;
  for (const { id, disabled } of descriptors) {
    expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
    if (disabled !== undefined) expect(Object.hasOwn(ERROR_TABLE, disabled.code)).toBe(true);
  }
  const again = decodeSet(encodeSet(toDescriptorLines(descriptors), version.generation).bytes, FILE);
  // JSON turns -0 into 0.
  expect(JSON.stringify(again.descriptors)).toBe(JSON.stringify(descriptors));
}

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });

const toLine = (value: unknown, structure: readonly Mutation[]) =>
  JSON.stringify(mutateJson(value, structure));

describe("a stored file", () => {
  test("with arbitrary lines is read exactly or refused", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(2), mutations(2), mutations(1), async (first, second, text) => {
        const lines = [toLine(SAMPLE[0], first), mutateBytes(Buffer.from(toLine(SAMPLE[1], second)), text)];
        await check(toFile(lines));
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  test("with an arbitrary header or arbitrary bytes is read exactly or refused", async () => {
    const sound = toFile(SAMPLE.map((descriptor) => JSON.stringify(descriptor)));
    const header = fc.dictionary(
      fc.constantFrom("format", "version", "generation", "count", "sha256", "__proto__", SECRET),
      fc.oneof(fc.jsonValue(), fc.constantFrom(2 ** 53, 1e300, -0, SECRET)),
      { maxKeys: 2 },
    );
    await fc.assert(
      fc.asyncProperty(mutations(3), header, async (changes, fields) => {
        await check(mutateBytes(sound, changes));
        await check(
          toFile(
            SAMPLE.map((descriptor) => JSON.stringify(descriptor)),
            fields,
          ),
        );
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("of random bytes is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => check(bytes)),
      { numRuns: fuzzRuns(200) },
    );
    for (const text of ["[".repeat(200_000), `${'{"params":'.repeat(100_000)}\n`])
      await check(Buffer.from(text));
  });

  test("with params nested too deeply is refused before they are traversed", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const line = JSON.stringify(createDescriptor("a", "DEEP")).replace('"DEEP"', deep);
    await check(toFile([line]));
  });
});
