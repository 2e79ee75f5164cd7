import { fuzzRuns, mutateJson, nest } from "@holdfast/testing";
import * as fc from "fast-check";
import { createNodeReader } from "@holdfast/core/adapter";
import { expect, test } from "vitest";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { EndpointSliceReader } from "./endpoint-slice-reader.ts";
import type { SliceContent } from "./slice-content.ts";
import { toSliceText } from "./slice-text.ts";

const readNode = createNodeReader();

const SLICE = {
  metadata: { name: "x", namespace: "n", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [
    { name: "http", port: 80, protocol: "TCP" },
    { name: "grpc", port: 90 },
  ],
  endpoints: ["a", "b", "c", "d"].map((id, i) => ({
    addresses: [`10.0.0.${i}`, "10.0.9.9"],
    conditions: { ready: i !== 1, serving: i === 2 ? null : true, terminating: i === 1 || i === 3 },
    targetRef: i === 2 ? undefined : { kind: "Pod", name: id, uid: "u" },
    hostname: i === 2 ? "h" : undefined,
    nodeName: "node",
    zone: "z",
    hints: { forZones: [{ name: "z" }, { name: "y" }] },
  })),
};

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const params = fc.record({
  nodeId: fc.constantFrom("pod", "address"),
  conditions: fc.constantFrom("ready", "serving"),
  addressFamily: fc.constantFrom("any", "ipv4", "ipv6"),
  allNamespaces: fc.boolean(),
  port: fc.constantFrom(undefined, "http", 90),
});

function read(given: object, slice: unknown): SliceContent {
  const reader = new EndpointSliceReader(
    kubernetesParamsSchema.parse({ service: "web", ...given }),
    readNode,
  );
  return reader.read("k", slice, () => undefined);
}

/** The content without the texts of reasons, which may name another form of an unreadable value. */
function comparable({ nodes, more, unready, trimmed, skipped, ...rest }: SliceContent): object {
  return {
    ...rest,
    nodes: [...nodes],
    more,
    unready: unready && [...unready],
    trimmed: trimmed?.length,
    skipped: skipped.length,
  };
}

test("any slice is read in the same way from its text, with any parameters", () => {
  fc.assert(
    fc.property(params, fc.array(mutation, { maxLength: 5 }), (given, mutations) => {
      const slice = mutateJson(SLICE, mutations);
      const text = toSliceText(slice);
      expect(comparable(read(given, JSON.parse(text)))).toEqual(comparable(read(given, slice)));
      // The text of a text is the text.
      expect(toSliceText(JSON.parse(text))).toBe(text);
    }),
    { numRuns: fuzzRuns(1_000) },
  );
});

test("a text has only the fields that are read, and no deep nesting", () => {
  const deep = JSON.parse(JSON.stringify(nest(50))) as unknown;
  const endpoints = [{ ...SLICE.endpoints[0], addresses: [deep], targetRef: deep, zone: deep }];
  expect(toSliceText({ ...SLICE, endpoints }).length).toBeLessThan(300);
  expect(toSliceText(SLICE)).not.toMatch(/uid|protocol|labels/);
});

test("the conditions of a ready endpoint are left out, because no conditions mean the same", () => {
  const ready = { ...SLICE, endpoints: SLICE.endpoints.slice(0, 1) };
  expect(toSliceText(ready)).not.toContain("ready");
  const { nodes } = read({ port: "http" }, JSON.parse(toSliceText(ready)));
  expect(nodes.get("a")).toMatchObject({ host: "10.0.0.0", port: 80, zone: "z" });
});
