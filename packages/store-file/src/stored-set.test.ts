import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { isProvisioningError } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileProviderStore } from "./index.ts";
import { createDescriptor } from "../test/descriptors.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const SECRET = "hunter2";
const line = (id: string, more: object = {}) =>
  JSON.stringify({ ...createDescriptor(id, { note: SECRET }), ...more });

/** A file as a store writes it, with the given lines and some fields of the header replaced. */
function createFile(lines: readonly (string | Buffer)[], header: object = {}): Buffer {
  const body = Buffer.concat(lines.map((text) => Buffer.concat([Buffer.from(text), Buffer.from("\n")])));
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

const sound = createFile([line("a"), line("b"), line("c")]);
const text = sound.toString();

const damaged: readonly (readonly [string, Buffer, number, RegExp])[] = [
  ["is empty", Buffer.alloc(0), 1, /empty/],
  ["is one newline", Buffer.from("\n"), 1, /not JSON/],
  ["is zeros", Buffer.alloc(64), 1, /newline/],
  ["has no header", Buffer.from(`${line("a")}\n`), 1, /format: expected "holdfast-providers"/],
  ["is of another format", createFile([line("a")], { format: SECRET }), 1, /format: expected/],
  ["is of a later version", createFile([line("a")], { version: 2, extra: SECRET }), 1, /version: expected 1/],
  ["has a field in its header that is not known", createFile([], { [SECRET]: 1 }), 1, /unknown field/],
  ["has a generation of 0", createFile([], { generation: 0 }), 1, /generation: expected/],
  [
    "has a header in a different byte form",
    Buffer.from(text.replace('"version":1', '"version": 1')),
    1,
    /not in the form that a store writes/,
  ],
  ["starts with a byte order mark", Buffer.concat([Buffer.from("\uFEFF"), sound]), 1, /not JSON/],
  ["is cut off in its header", sound.subarray(0, 20), 1, /cut off/],
  ["is cut off in a line", sound.subarray(0, -10), 4, /cut off/],
  ["lacks its last newline", sound.subarray(0, -1), 4, /cut off/],
  [
    "is cut off between lines",
    Buffer.from(text.split("\n").slice(0, 3).join("\n") + "\n"),
    4,
    /after 2 of 3/,
  ],
  ["goes on after its end", Buffer.concat([sound, Buffer.from(SECRET)]), 5, /counts only 3/],
  ["has an empty line at its end", Buffer.concat([sound, Buffer.from("\n")]), 5, /counts only 3/],
  ["has a line too few", createFile([line("a")], { count: 2 }), 3, /after 1 of 2/],
  ["has a line that is not UTF-8", createFile([line("a"), Buffer.from([0x22, 0xff, 0x22])]), 3, /not UTF-8/],
  ["has a line that is not JSON", createFile([line("a"), `{"id":${SECRET}`]), 3, /not JSON/],
  ["has a line that is not a descriptor", createFile([line("a"), `["${SECRET}"]`]), 3, /expected object/],
  ["has a descriptor without params", createFile([line("a", { params: undefined })]), 2, /params: expected/],
  [
    "has params nested too deeply",
    createFile([
      line("a", { params: 0 }).replace('"params":0', `"params":${"[".repeat(9_999)}${"]".repeat(9_999)}`),
    ]),
    2,
    /params: expected/,
  ],
  [
    "has a number beyond the range of a double",
    createFile([line("a", { params: 0 }).replace('"params":0', '"params":1e999')]),
    2,
    /params: expected/,
  ],
  ["has a malformed id", createFile([line(`${SECRET} `)]), 2, /id: expected/],
  ["has an unknown field", createFile([line("a", { [SECRET]: 1 })]), 2, /unknown field/],
  [
    "has an unknown error code",
    createFile([line("a", { disabled: { code: SECRET, message: "" } })]),
    2,
    /disabled\.code: expected a known/,
  ],
  ["has an id twice", createFile([line("a"), line("b"), line("a")]), 4, /same id as line 2/],
  ["has a letter changed", Buffer.from(text.replace(SECRET, "hunter3")), 1, /checksum/],
  ["has two damages", Buffer.from(text.replace('"a"', '"a').replace('"c"', '"b"')), 2, /not JSON/],
];

describe("a damaged file", () => {
  // R1.5, R1.6
  test.each(damaged)(
    "that %s makes load and save fail, and is not changed",
    async (_, bytes, number, reason) => {
      using folder = new TemporaryFolder();
      const file = folder.at("providers.jsonl");
      await writeFile(file, sound);
      const store = new FileProviderStore({ path: file });
      await store.load();
      await writeFile(file, bytes);
      for (const attempt of [
        () => store.load(),
        () => store.save([]),
        () => new FileProviderStore({ path: file }).save([]),
      ]) {
        const error: unknown = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (!isProvisioningError(error)) throw new Error("expected a ProvisioningError", { cause: error });
        expect(error).toMatchObject({ code: "STORE_CORRUPTED", retryable: false });
        expect(error.details).toEqual({ file, line: number, reason: expect.stringMatching(reason) });
        expect(error.message).toContain(
          `"${file}" is damaged in line ${number}: ${String(error.details["reason"])}`,
        );
        expect(error.cause).toBeUndefined();
        expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(SECRET);
      }
      expect(await readFile(file)).toEqual(bytes);
      expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
    },
  );

  // R1.5
  test("never loads as a different set, wherever bytes are changed, removed or inserted", async () => {
    using folder = new TemporaryFolder();
    const file = folder.at("providers.jsonl");
    await writeFile(file, sound);
    const original = await new FileProviderStore({ path: file }).load();
    const position = fc.nat({ max: sound.length - 1 });
    const damages = fc.oneof(
      fc.record({
        at: position,
        remove: fc.constant(1),
        insert: fc.uint8Array({ minLength: 1, maxLength: 1 }),
      }),
      fc.record({ at: position, remove: fc.constant(sound.length), insert: fc.constant(new Uint8Array()) }),
      fc.record({ at: position, remove: fc.nat({ max: 200 }), insert: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({
        at: position,
        remove: fc.constant(0),
        insert: fc.constantFrom(...["\n", "0", " ", "{}\n"].map((t) => Buffer.from(t))),
      }),
    );
    await fc.assert(
      fc.asyncProperty(damages, async ({ at, remove, insert }) => {
        const bytes = Buffer.concat([sound.subarray(0, at), insert, sound.subarray(at + remove)]);
        await writeFile(file, bytes);
        try {
          expect(await new FileProviderStore({ path: file }).load()).toEqual(original);
        } catch (error) {
          expect(error).toMatchObject({ code: "STORE_CORRUPTED", details: { file } });
        }
        expect(await readFile(file)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  // R1.5
  test("with any single bit flipped is refused or loads the same set", async () => {
    using folder = new TemporaryFolder();
    const file = folder.at("providers.jsonl");
    await writeFile(file, sound);
    const original = await new FileProviderStore({ path: file }).load();
    let accepted = 0;
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const bytes = Buffer.from(sound);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(file, bytes);
      const loaded = await new FileProviderStore({ path: file }).load().catch((error: unknown) => error);
      if (isProvisioningError(loaded)) {
        expect(loaded.code).toBe("STORE_CORRUPTED");
      } else {
        expect(loaded).toEqual(original);
        accepted++;
      }
    }
    // Only the digit of the generation, which is not part of the set, can change undetected.
    expect(accepted).toBeLessThan(8);
  });
});
