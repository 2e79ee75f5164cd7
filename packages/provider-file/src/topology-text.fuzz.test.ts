import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  outcomeOf,
  type Outcome,
} from "@holdfast/testing";
import type { ClusterNode } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { decodeText } from "./decode-text.ts";
import { createMembersReader } from "./members-reader.ts";
import { parseJson } from "./parse-json.ts";
import { parseYaml } from "./parse-yaml.ts";
import { toProvisioningError } from "./to-provisioning-error.ts";

const SECRET = "canary-7f3a9c-secret";

const SAMPLE = {
  version: 1,
  members: ["a", "b"].map((id) => ({
    id: `${id}-${SECRET}`,
    host: SECRET,
    port: 7_000,
    zone: SECRET,
    weight: 1,
    tags: [SECRET, "x"],
    metadata: { rack: SECRET, other: "y" },
  })),
};

const readMembers = createMembersReader();

/** Reads bytes as a topology file is read, in this thread. */
async function read(bytes: Uint8Array, format: "json" | "yaml"): Promise<Outcome<readonly ClusterNode[]>> {
  const outcome = await outcomeOf(() => {
    try {
      const text = decodeText(bytes);
      return readMembers(format === "json" ? parseJson(text) : parseYaml(text));
    } catch (error) {
      throw toProvisioningError(error, "topology.json");
    }
  });
  assertUnpolluted();
  if ("error" in outcome) {
    const { code, details } = outcome.error;
    expect(code).toBe("STREAM_INVALID_DATA");
    expect(Reflect.get(details, "problems")).toHaveProperty("length");
    expect(Array.from(Object(Reflect.get(details, "problems"))).length).toBeLessThanOrEqual(100);
    expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
  } else {
    for (const node of outcome.value) {
      expect(Object.getPrototypeOf(node.metadata)).toBe(Object.prototype);
      expect(Object.hasOwn(node.metadata, "__proto__")).toBe(false);
    }
  }
  return outcome;
}

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });

describe("a topology file", () => {
  test("of any form is read or refused, without quoting it", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(3), mutations(3), async (structure, text) => {
        const value = mutateJson(SAMPLE, structure);
        const json = Buffer.from(JSON.stringify(value));
        const asJson = await read(mutateBytes(json, text), "json");
        // JSON is also YAML, so the YAML parser must return the same for valid JSON.
        if (text.length === 0) {
          const asYaml = await read(json, "yaml");
          if ("value" in asJson && "value" in asYaml) expect(asYaml.value).toEqual(asJson.value);
        }
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  test("of YAML of any form is read or refused, without quoting it", async () => {
    const sound = Buffer.from(stringify(SAMPLE));
    await fc.assert(
      fc.asyncProperty(mutations(4), async (changes) => {
        await read(mutateBytes(sound, changes), "yaml");
      }),
      { numRuns: fuzzRuns(250) },
    );
  });

  test("of any text or bytes is read or refused", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`{"members":[${text}]}`)),
      fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom<("json" | "yaml")[]>("json", "yaml"), async (each, format) => {
        await read(each, format);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });
});

const bomb = (levels: number, width: number): string =>
  [
    `a0: &a0 [${Array.from({ length: width }, () => "x").join()}]`,
    ...Array.from(
      { length: levels },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: width }, () => `*a${i}`).join()}]`,
    ),
  ].join("\n");

describe("a topology file that tries to exhaust memory or time", () => {
  test.each([
    ["nested arrays", "json", "[".repeat(100_000)],
    ["nested objects", "json", '{"a":'.repeat(100_000)],
    ["nested and closed arrays", "json", `{"members":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["nested flow sequences", "yaml", `members: ${"[".repeat(100_000)}`],
    ["nested flow mappings", "yaml", `members: ${"{a: ".repeat(50_000)}`],
    ["nested block sequences", "yaml", `${"- ".repeat(100_000)}a`],
    [
      "nested block mappings",
      "yaml",
      Array.from({ length: 2_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    ],
    ["nested explicit keys", "yaml", `${"? ".repeat(50_000)}a`],
    ["a bomb of aliases", "yaml", bomb(30, 9)],
    ["a wide bomb of aliases", "yaml", bomb(3, 500)],
    ["an alias of itself", "yaml", "members: &m [*m, *m]"],
    ["merge keys", "yaml", `a: &a {x: 1}\nmembers: [${"{<<: *a},".repeat(3_000)}]`],
    ["many documents", "yaml", "--- {}\n".repeat(20_000)],
    ["many anchors", "yaml", `members: [${Array.from({ length: 5_000 }, (_, i) => `&x${i} a`).join()}]`],
    ["many tags", "yaml", `members: [${"!!binary a,".repeat(5_000)}]`],
    ["many errors", "yaml", "a: b: c\n".repeat(20_000)],
    ["many wrong members", "json", `{"members":[${"0,".repeat(1_000_000)}0]}`],
    [
      "many unknown fields",
      "json",
      `{${Array.from({ length: 200_000 }, (_, i) => `"f${i}":0`).join()},"members":[]}`,
    ],
    ["one long text", "json", `{"members":[{"id":"${"x".repeat(20_000_000)}"}]}`],
    ["one long name", "json", `{"${"x".repeat(20_000_000)}":0,"members":[]}`],
    ["one long text", "yaml", `members: "${"x".repeat(2_000_000)}"`],
  ] as const)("by %s (%s) is refused, in few words", async (_, format, text) => {
    const outcome = await read(Buffer.from(text), format);
    if (!("error" in outcome)) throw new Error("it was read");
    expect(JSON.stringify(outcome.error).length).toBeLessThan(40_000);
  });
});
