import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  nest,
  outcomeOf,
  type Mutation,
} from "@holdfast/testing";
import { systemClock, type ProvisioningError } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consulParamsSchema } from "../consul-params.ts";
import { HealthBody, type HealthContent } from "./health-body.ts";

const SECRET = "canary-7f3a9c-secret";
const { signal } = new AbortController();

const entry = (id: string): unknown => ({
  Node: {
    Node: `on-${id}-${SECRET}`,
    Address: "10.9.9.9",
    Meta: { zone: "a", [SECRET]: SECRET },
    TaggedAddresses: { lan: "10.0.0.1", wan: SECRET },
  },
  Service: {
    ID: id,
    Address: `${id}.test`,
    Port: 80,
    Tags: [SECRET, "b"],
    Meta: { zone: "b", [SECRET]: SECRET, id },
    Weights: { Passing: 1, Warning: 1 },
    TaggedAddresses: { lan: { Address: SECRET, Port: 1 } },
  },
  Checks: [{ Status: "passing", Output: SECRET }],
});

const SAMPLE = ["a", "b", "c"].map(entry);

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });
const params = fc.record({
  nodeId: fc.constantFrom<unknown>(
    "node-and-service",
    "service-id",
    "address",
    { meta: "id" },
    {
      meta: "__proto__",
    },
  ),
  zoneMeta: fc.constantFrom("zone", "constructor", "__proto__", "toString"),
  taggedAddress: fc.constantFrom(undefined, "lan", "constructor", "__proto__"),
  health: fc.constantFrom("passing", "warning"),
});

function createBody(given: Readonly<Record<string, unknown>> = {}): HealthBody {
  return new HealthBody(consulParamsSchema.parse({ service: "web", ...given }), systemClock);
}

function toBytes(structure: readonly Mutation[], text: readonly Mutation[]): Buffer {
  return mutateBytes(Buffer.from(JSON.stringify(mutateJson(SAMPLE, structure))), text);
}

/** Returns a comparable result of reading a body. Fails the test when the result contains text of the body. */
async function read(body: HealthBody, bytes: Buffer): Promise<unknown> {
  const outcome = await outcomeOf(() => body.read(bytes, signal));
  if ("error" in outcome) return toFailure(outcome.error);
  if (outcome.value === "same") return "same";
  return toComparable(outcome.value);
}

function toFailure(error: ProvisioningError): string {
  expect(error.code).toBe("STREAM_INVALID_DATA");
  expect(findSecret(allTextOf(error), SECRET)).toEqual([]);
  return "invalid";
}

function toComparable({ members, skipped, trimmed }: HealthContent): unknown {
  expect(findSecret(allTextOf({ skipped, trimmed }), SECRET)).toEqual([]);
  for (const { id, host } of members) expect(id === "" || host === "").toBe(false);
  return { members: [...members], skipped: skipped?.count, trimmed: trimmed?.count };
}

describe("a health body", () => {
  test("of any form is read or rejected, with the same result for an incremental and a complete read", async () => {
    await fc.assert(
      fc.asyncProperty(
        params,
        fc.array(fc.tuple(mutations(3), mutations(2)), { minLength: 1, maxLength: 4 }),
        async (given, versions) => {
          let kept = createBody(given);
          for (const [structure, text] of versions) {
            const bytes = toBytes(structure, text);
            const whole = await read(createBody(given), bytes);
            const differing = await read(kept, bytes);
            if (differing !== "same") expect(differing).toEqual(whole);
            if (whole === "invalid") kept = createBody(given);
          }
          assertUnpolluted();
        },
      ),
      { numRuns: fuzzRuns(150) },
    );
  });

  test("is accepted exactly when it is a JSON array", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(1), mutations(2), async (structure, text) => {
        const bytes = toBytes(structure, text);
        // No instance is healthy, so only the form of the whole body can be wrong.
        const body = createBody();
        const outcome = await outcomeOf(() => body.read(bytes, signal));
        const isRefused = "error" in outcome && outcome.error.message.includes("not a JSON array");
        expect(isRefused).toBe(!isJsonArray(bytes));
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("of any bytes is read or rejected", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((part) => Buffer.from(part)),
      fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`[${text},{}]`)),
    );
    await fc.assert(
      fc.asyncProperty(params, fc.array(bytes, { minLength: 1, maxLength: 3 }), async (given, versions) => {
        const body = createBody(given);
        for (const version of versions) if ((await read(body, version)) === "invalid") break;
        assertUnpolluted();
      }),
      { numRuns: fuzzRuns(200) },
    );
  });

  test("with very deep nesting in any field is read or rejected", async () => {
    const deep = JSON.stringify(nest(1_000)).replace("[]", `${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    const text = JSON.stringify([entry("a")]);
    for (const value of [
      '"a"',
      '"a.test"',
      "80",
      `["${SECRET}","b"]`,
      "1",
      `"on-a-${SECRET}"`,
      '"passing"',
      '"b"',
    ]) {
      const bytes = Buffer.from(text.replace(value, deep));
      for (const nodeId of ["node-and-service", "service-id", "address"] as const)
        await read(createBody({ nodeId, taggedAddress: "lan" }), bytes);
    }
    await read(createBody(), Buffer.from(deep));
    await read(createBody(), Buffer.from("[".repeat(200_000)));
    await read(createBody(), Buffer.from(`[${'{"a":'.repeat(100_000)}`));
  });
});

function isJsonArray(bytes: Buffer): boolean {
  try {
    // Bytes that are not UTF-8 are not JSON (RFC 8259, section 8.1), and neither is a byte order mark.
    return Array.isArray(
      JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
    );
  } catch {
    return false;
  }
}
