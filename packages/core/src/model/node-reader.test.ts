import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clusterNodeSchema } from "./cluster-node-schema.ts";
import { createClusterNode, type ClusterNode, type ClusterNodeInput } from "./cluster-node.ts";
import { createNodeReader } from "./node-reader.ts";
import { isProvisioningError } from "../errors/provisioning-error.ts";
import type { ValidationProblem } from "../errors/validation-problem.ts";

const base: ClusterNodeInput = { id: "a", host: "h", port: 1 };

function malformed(path: string, expected: string, got: string): ValidationProblem {
  return { path, expected, got, code: "VALIDATION_MALFORMED" };
}

function problemsOf(entry: unknown): unknown {
  try {
    createNodeReader()(entry);
  } catch (error) {
    if (isProvisioningError(error)) return error.details["problems"];
    throw error;
  }
  throw new Error("the entry was accepted");
}

describe("createNodeReader", () => {
  test("names every problem of an entry, with path, expected and actual value", () => {
    const entry = {
      id: "",
      port: 70_000,
      zone: null,
      weight: -1,
      tags: ["ok", 5],
      metadata: { rack: 7, ["k".repeat(300)]: "v" },
      prot: 1,
    };
    // R1.1
    expect(problemsOf(entry)).toEqual([
      malformed("id", "at least 1 characters", "a string of 0 characters"),
      { path: "host", expected: "string", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
      malformed("port", "at most 65535", "70000"),
      malformed("zone", "string", "null"),
      malformed("weight", "at least 0", "-1"),
      malformed("tags[1]", "string", "a number"),
      malformed("metadata.rack", "string", "a number"),
      malformed(
        `metadata["${"k".repeat(64)}…"]`,
        "a key of at most 256 characters",
        "a string of 300 characters",
      ),
      malformed("prot", "no such field", "a number"),
    ]);
  });

  test.each([null, undefined, "a", 5, []])("refuses %j as a whole", (entry) => {
    expect(problemsOf(entry)).toEqual([expect.objectContaining({ path: "", expected: "object" })]);
  });

  test("throws VALIDATION_MALFORMED", () => {
    expect(() => createNodeReader()({})).toThrow(
      expect.objectContaining({
        code: "VALIDATION_MALFORMED",
        message: "[VALIDATION_MALFORMED] a node is malformed",
      }),
    );
  });

  test("accepts exactly what the schema accepts, and reads it as createClusterNode does", () => {
    const read = createNodeReader();
    const odd = fc.constantFrom<unknown>(
      null,
      "",
      0,
      1.5,
      -1,
      [],
      {},
      ["x"],
      { a: "b" },
      { a: 1 },
      Number.NaN,
    );
    const mostly = (value: unknown) => fc.oneof({ arbitrary: fc.constant(value), weight: 9 }, odd);
    const entries = fc.record(
      {
        id: mostly("a"),
        host: mostly("h"),
        port: mostly(1),
        zone: mostly("z"),
        weight: mostly(0.5),
        tags: mostly(["b", "a"]),
        metadata: mostly({ a: "b" }),
        other: mostly(undefined),
      },
      { requiredKeys: ["id", "host", "port"] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(entries, (entry) => {
        const parsed = clusterNodeSchema.safeParse(entry);
        if (!parsed.success) {
          expect(() => read(entry)).toThrow("VALIDATION_MALFORMED");
          return;
        }
        accepted++;
        expect(read(entry)).toEqual(createClusterNode(parsed.data));
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(1_900);
  });

  test("reads any JSON value and ignores a key named __proto__", () => {
    const entry: unknown = JSON.parse('{"id":"a","host":"h","port":1,"metadata":{"__proto__":"x","b":"c"}}');
    const node = createNodeReader()(entry);
    expect(Object.keys(node.metadata)).toEqual(["b"]);
    expect(Object.getPrototypeOf(node.metadata)).toBe(Object.prototype);
  });

  test("does not keep a reference to the entry", () => {
    const entry = { ...base, tags: ["b"], metadata: { a: "b" } };
    const node = createNodeReader()(entry);
    entry.tags[0] = "changed";
    entry.metadata.a = "changed";
    expect(node).toMatchObject({ tags: ["b"], metadata: { a: "b" } });
  });
});

function outcomeOf(reading: () => ClusterNode): unknown {
  try {
    return reading();
  } catch (error) {
    return isProvisioningError(error) ? error.details : error;
  }
}

describe("reading an entry with the previous node", () => {
  const read = createNodeReader();
  const full = { ...base, zone: "z", weight: 2, tags: ["a", "b"], metadata: { k: "v" } };

  test.each([
    ["the least", base],
    ["everything", full],
    ["empty lists", { ...base, tags: [], metadata: {} }],
  ])("returns that node when the entry has the same content: %s", (_, entry) => {
    const before = read(entry);
    expect(read(structuredClone(entry), before)).toBe(before);
  });

  test("reads an entry with other content, and refuses malformed ones", () => {
    const field = fc.constantFrom("id", "host", "port", "zone", "weight", "tags", "metadata", "extra");
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        undefined,
        null,
        Number.NaN,
        "",
        0,
        [],
        {},
        [undefined],
        { length: 0 },
        new Date(0),
      ),
      fc.string(),
      fc.integer(),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
    );
    fc.assert(
      fc.property(fc.constantFrom<ClusterNodeInput>(base, full), field, value, (known, changed, to) => {
        const entry: Record<string, unknown> = { ...structuredClone(known), [changed]: to };
        expect(outcomeOf(() => read(entry, read(known)))).toEqual(outcomeOf(() => read(entry)));
        delete entry[changed];
        expect(outcomeOf(() => read(entry, read(known)))).toEqual(outcomeOf(() => read(entry)));
      }),
      { numRuns: 1_000 },
    );
    expect(() => read(null, read(full))).toThrow(/VALIDATION_MALFORMED/);
  });
});
