import {
  assertUnpolluted,
  cutInto,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  nest,
  outcomeOf,
  type Mutation,
} from "@holdfast/testing";
import { MemberSet, type ClusterNode } from "@holdfast/core";
import { parseJson, createNodeReader } from "@holdfast/core/adapter";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EndpointSliceReader } from "../wire/endpoint-slice-reader.ts";
import { objectKeyOf } from "../wire/object-key.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { readLines } from "../wire/read-lines.ts";
import { toListPage } from "../wire/list-page.ts";
import { SliceSet } from "./slice-set.ts";
import { parseWatchLine } from "../wire/watch-line.ts";

const readNode = createNodeReader();

const SECRET = "canary-7f3a9c-secret";

const slice = (name: string): unknown => ({
  metadata: { name, namespace: "default", resourceVersion: "7", labels: { [SECRET]: SECRET } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 80, protocol: "TCP" }],
  endpoints: ["a", "b"].map((id) => ({
    addresses: [`10.0.0.${id.charCodeAt(0)}`],
    conditions: { ready: true, serving: null, terminating: false },
    targetRef: { kind: "Pod", name: `${id}-${SECRET}` },
    nodeName: SECRET,
    zone: "z",
    hints: { forZones: [{ name: SECRET }] },
  })),
});

const LIST = {
  kind: "EndpointSliceList",
  metadata: { resourceVersion: "9", continue: SECRET },
  items: [slice("x"), slice("y")],
};
const LINES: readonly unknown[] = [
  { type: "ADDED", object: slice("x") },
  { type: "MODIFIED", object: slice("y") },
  { type: "DELETED", object: slice("x") },
  { type: "BOOKMARK", object: { metadata: { resourceVersion: "11" } } },
  {
    type: "ERROR",
    object: { code: 410, reason: SECRET, message: SECRET, details: { retryAfterSeconds: 3 } },
  },
];

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });
const params = fc.record({
  nodeId: fc.constantFrom("pod", "address"),
  conditions: fc.constantFrom("ready", "serving"),
  addressFamily: fc.constantFrom("any", "ipv4", "ipv6"),
  allNamespaces: fc.boolean(),
  port: fc.constantFrom(undefined, "http", 80, "constructor"),
});

function toText(value: unknown, structure: readonly Mutation[], text: readonly Mutation[]): string {
  return mutateBytes(Buffer.from(JSON.stringify(mutateJson(value, structure))), text).toString();
}

/** Reads slices into members, as a watch does. */
function readSlices(given: Readonly<Record<string, unknown>>, slices: readonly unknown[]): MemberSet {
  const reader = new EndpointSliceReader(
    kubernetesParamsSchema.parse({ service: "web", ...given }),
    readNode,
  );
  const set = new SliceSet();
  let members = MemberSet.empty;
  for (const each of slices) {
    const key = objectKeyOf(each);
    if (key === undefined) continue;
    const content = reader.read(key, each, (id): ClusterNode | undefined => members.get(id));
    expect(findSecret(allTextOf(content.skipped), SECRET)).toEqual([]);
    members = members.apply(set.apply([content], []));
  }
  expect(findSecret(allTextOf(set.skipped), SECRET)).toEqual([]);
  for (const { id, port } of members) {
    expect(id.length).toBeLessThanOrEqual(253);
    expect(Number.isInteger(port) && port > 0 && port < 65_536).toBe(true);
  }
  assertUnpolluted();
  return members;
}

function expectSilent(outcome: Awaited<ReturnType<typeof outcomeOf>>): void {
  if (!("error" in outcome)) return;
  expect(outcome.error.code).toMatch(/^STREAM_/);
  expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
}

describe("any data from an API server", () => {
  test("as a page of a list is read or rejected, and so are its slices", async () => {
    await fc.assert(
      fc.asyncProperty(params, mutations(4), mutations(2), async (given, structure, text) => {
        const answer = parseJson(toText(LIST, structure, text));
        const outcome = await outcomeOf(() => toListPage(answer, "EndpointSliceList"));
        expectSilent(outcome);
        if ("value" in outcome) readSlices(given, outcome.value.items);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  test("as a line of a watch is an event or rejected", async () => {
    const line = fc.tuple(fc.constantFrom(...LINES), mutations(3), mutations(2));
    await fc.assert(
      fc.asyncProperty(params, fc.array(line, { maxLength: 6 }), async (given, lines) => {
        const slices: unknown[] = [];
        for (const [value, structure, text] of lines) {
          const outcome = await outcomeOf(() => parseWatchLine(toText(value, structure, text)));
          expectSilent(outcome);
          if ("error" in outcome) continue;
          const event = outcome.value;
          if (event.type === "put") slices.push(event.object);
          if (event.type !== "error") continue;
          expect(Number.isInteger(event.status) && event.status >= 100 && event.status < 600).toBe(true);
          const { retryAfterMs = 0 } = event;
          expect(retryAfterMs >= 0 && retryAfterMs <= 86_400_000).toBe(true);
        }
        readSlices(given, slices);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  test("as any JSON is an event, a page, or rejected", async () => {
    await fc.assert(
      fc.asyncProperty(params, fc.jsonValue({ maxDepth: 8 }), async (given, value) => {
        expectSilent(await outcomeOf(() => toListPage(value, "EndpointSliceList")));
        expectSilent(await outcomeOf(() => parseWatchLine(JSON.stringify(value))));
        readSlices(given, [value, { metadata: { name: "x" }, ...Object(value) }]);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("with very deep nesting in any field is read or rejected", async () => {
    const deep = JSON.stringify(nest(1_000)).replace("[]", `${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    const text = JSON.stringify({ type: "ADDED", object: slice("x") });
    for (const field of ['"10.0.0.97"', '"x"', '"default"', "80", '"IPv4"', `"a-${SECRET}"`, '"z"', "true"]) {
      const outcome = await outcomeOf(() => parseWatchLine(text.replace(field, deep)));
      expectSilent(outcome);
      if (!("value" in outcome) || outcome.value.type !== "put") continue;
      for (const given of [{}, { nodeId: "address" }, { allNamespaces: true }])
        readSlices(given, [outcome.value.object]);
    }
    expectSilent(await outcomeOf(() => parseWatchLine(deep)));
    expectSilent(await outcomeOf(() => parseWatchLine("[".repeat(200_000))));
  });
});

describe("a stream of bytes", () => {
  test("yields the same lines for any division into chunks", async () => {
    const lines = Buffer.from(LINES.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await fc.assert(
      fc.asyncProperty(mutations(3), fc.array(fc.nat(5_000), { maxLength: 20 }), async (changes, cuts) => {
        const bytes = mutateBytes(lines, changes);
        expect(await linesOf(cutInto(bytes, cuts))).toEqual(await linesOf([bytes]));
      }),
      { numRuns: fuzzRuns(300) },
    );
  });
});

async function linesOf(parts: readonly Uint8Array[]): Promise<unknown> {
  const lines: string[] = [];
  const outcome = await outcomeOf(async () => {
    for await (const batch of readLines(source(parts), 1_048_576)) lines.push(...batch);
  });
  return { lines, ...("error" in outcome && { code: outcome.error.code }) };
}

async function* source(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
