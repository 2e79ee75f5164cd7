import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateJson,
  nest,
  outcomeOf,
} from "@holdfast/testing";
import { secretReferenceSchema } from "@holdfast/core/adapter";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ProviderValidator, type ValidDescriptor } from "./provider-validator.ts";
import { createScriptedAdapter } from "../test/scripted-adapter.ts";

const SECRET = "canary-7f3a9c-secret";

/** Accepts anything, as the schema of a plugin may. */
const loose = {
  ...createScriptedAdapter(),
  kind: "loose",
  params: z.looseObject({ token: secretReferenceSchema.optional() }),
};
const validator = new ProviderValidator({ adapters: [createScriptedAdapter(), loose] });

const SAMPLES = [
  { id: "a", kind: "scripted", priority: 1, params: { path: "/x", pollMs: 5, token: { env: "TOKEN" } } },
  { id: "b", kind: "loose", priority: 2, params: { list: [{ a: 1 }, "x"], deep: { er: { est: null } } } },
];
/** The samples with a secret in every place where one could be typed by mistake. */
const LEAKY = [
  { id: "a", kind: "scripted", priority: 1, params: { path: "/x", token: SECRET } },
  { id: "a", kind: "scripted", priority: 1, params: { path: "/x", token: { env: "T", value: SECRET } } },
  {
    id: "b",
    kind: "loose",
    priority: 2,
    params: { password: SECRET, apiKey: [SECRET], auth: { basic: SECRET } },
  },
  {
    id: "b",
    kind: "loose",
    priority: 2,
    params: { url: `http://user:${SECRET}@host/`, note: `token=${SECRET}` },
  },
  { id: "b", kind: "loose", priority: 2, params: { headers: { authorization: `Bearer ${SECRET}` } } },
  { id: "b", kind: "loose", priority: 2, params: { env: [{ name: "DB_PASSWORD", value: SECRET }] } },
  { id: "b", kind: "loose", priority: 2, params: { [`password=${SECRET}`]: 1 } },
  { id: SECRET + " ", kind: SECRET + "!", priority: SECRET, params: SECRET, token: SECRET },
];

async function check(input: unknown): Promise<void> {
  const outcome = await outcomeOf((): ValidDescriptor => validator.validate(input));
  assertUnpolluted();
  if ("error" in outcome) {
    expect(outcome.error.category).toBe("validation");
    expect(outcome.error.message.length).toBeLessThan(5_000);
    return;
  }
  // An accepted descriptor is exactly what was submitted.
  const { descriptor } = outcome.value;
  expect(JSON.stringify(descriptor.params)).toBe(JSON.stringify(Reflect.get(Object(input), "params")));
  expect(Object.isFrozen(descriptor) && Object.isFrozen(descriptor.params)).toBe(true);
  expect(Object.getPrototypeOf(descriptor.params)).toBe(Object.prototype);
}

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = fc.array(mutation, { maxLength: 3 });

describe("a descriptor", () => {
  test("of any form is accepted unchanged or refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SAMPLES), mutations, (sample, structure) =>
        check(mutateJson(sample, structure)),
      ),
      { numRuns: fuzzRuns(500) },
    );
  });

  test("that is an arbitrary value is refused", async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
    });
    await fc.assert(
      fc.asyncProperty(
        anything,
        fc.constantFrom("params", "id", "kind", "priority"),
        async (value, field) => {
          await check(value);
          await check({ ...SAMPLES[1], [field]: value });
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("with a secret in it is refused, whatever else is wrong with it, and the error does not quote it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...LEAKY), mutations, async (sample, structure) => {
        const outcome = await outcomeOf(() => validator.validate(mutateJson(sample, structure)));
        assertUnpolluted();
        if ("error" in outcome) expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
      }),
      { numRuns: fuzzRuns(500) },
    );
    for (const sample of LEAKY)
      expect(await outcomeOf(() => validator.validate(sample))).toHaveProperty("error");
  });
});

describe("a descriptor that tries to exhaust memory or time", () => {
  const circular: Record<string, unknown> = { ...SAMPLES[1] };
  circular["params"] = { circular };
  test.each([
    ["nesting", { ...SAMPLES[1], params: { a: nest(100_000) } }],
    ["a circle", circular],
    ["a long text", { ...SAMPLES[1], params: { a: "x".repeat(20_000_000) } }],
    ["a long id", { ...SAMPLES[1], id: "x".repeat(10_000_000) }],
    [
      "many fields",
      {
        ...SAMPLES[1],
        params: Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`f${i}`, i])),
      },
    ],
    [
      "many wrong fields",
      { ...SAMPLES[0], params: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, i])) },
    ],
    ["many entries", { ...SAMPLES[1], params: { list: Array.from({ length: 1_000_000 }, () => ({})) } }],
    ["many secrets", { ...SAMPLES[1], params: { tokens: Array.from({ length: 50_000 }, () => SECRET) } }],
    [
      "an invalid length",
      { ...SAMPLES[1], params: { a: { length: 4e9 } }, extra: Object.assign([], { length: 4_000_000_000 }) },
    ],
    [
      "a proxy or getter that throws when it is read",
      {
        ...SAMPLES[1],
        get params(): never {
          throw new Error(SECRET);
        },
      },
    ],
    [
      "a toJSON that throws",
      {
        ...SAMPLES[1],
        params: {
          toJSON: () => {
            throw new Error(SECRET);
          },
        },
      },
    ],
  ])("by %s is refused, in few words", async (_, input) => {
    const outcome = await outcomeOf(() => validator.validate(input));
    if (!("error" in outcome)) throw new Error("it passed");
    expect(JSON.stringify(outcome.error).length).toBeLessThan(40_000);
    expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
  });

  test.each([1_001, 1_000_000])("by %i others is refused with a short message", async (count) => {
    const outcome = await outcomeOf(() => validator.validateAll(Array.from({ length: count }, () => 0)));
    if (!("error" in outcome)) throw new Error("it passed");
    expect(outcome.error.details["problems"]).toMatchObject([
      { path: "providers", expected: "at most 1000 entries" },
    ]);
  });
});
