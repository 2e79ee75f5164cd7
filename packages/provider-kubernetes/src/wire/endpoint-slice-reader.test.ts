import { type ClusterNode, createClusterNode } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { describe, expect, test } from "vitest";
import { EndpointSliceReader } from "./endpoint-slice-reader.ts";
import type { SliceContent } from "./slice-content.ts";
import { objectKeyOf } from "./object-key.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { toSlice } from "../../test/fake-api-server.ts";

const readNode = createNodeReader();

function read(
  slice: Readonly<Record<string, unknown>>,
  params: object = {},
  known: readonly ClusterNode[] = [],
): SliceContent {
  const reader = new EndpointSliceReader(
    kubernetesParamsSchema.parse({ service: "web", ...params }),
    readNode,
  );
  return reader.read("default/s", toSlice("s", slice), (id) => known.find((node) => node.id === id));
}

const nodesOf = ({ nodes }: SliceContent): readonly ClusterNode[] => [...nodes.values()];
const pod = (name: unknown, parts: object = {}): object => ({
  addresses: ["10.0.0.1"],
  targetRef: { kind: "Pod", name },
  ...parts,
});

describe("an endpoint", () => {
  test("becomes a member with its zone, its Kubernetes node and its hints", () => {
    const endpoint = pod("web-1", {
      zone: "eu-1a",
      nodeName: "worker-7",
      hints: { forZones: [{ name: "eu-1a" }, { name: "eu-1b" }, { name: 7 }] },
      deprecatedTopology: { "kubernetes.io/hostname": "ignored" },
    });
    expect(nodesOf(read({ endpoints: [endpoint] }))).toEqual([
      createClusterNode({
        id: "web-1",
        host: "10.0.0.1",
        port: 80,
        zone: "eu-1a",
        metadata: { node: "worker-7", zoneHints: "eu-1a,eu-1b" },
      }),
    ]);
  });

  test.each([
    ["no conditions", undefined, true, true],
    ["null conditions", null, true, true],
    ["ready", { ready: true }, true, true],
    ["ready: null", { ready: null }, true, true],
    ["not ready", { ready: false }, false, false],
    ["not ready, serving: null", { ready: false, serving: null }, false, false],
    ["terminating and serving", { ready: false, serving: true, terminating: true }, false, true],
    ["terminating and no longer serving", { ready: false, serving: false, terminating: true }, false, false],
    ["ready, but not serving (publishNotReadyAddresses)", { ready: true, serving: false }, true, false],
  ])("with %s", (_, conditions, isReadyMember, isServingMember) => {
    const endpoints = [pod("a", { conditions })];
    expect(read({ endpoints }).nodes.has("a")).toBe(isReadyMember);
    const serving = read({ endpoints }, { conditions: "serving" });
    expect(serving.nodes.has("a")).toBe(isServingMember);
    // Endpoints that are left out because of their conditions are not counted as skipped.
    expect(serving.skipped).toEqual([]);
  });

  test("that is terminating has this in its metadata", () => {
    const endpoints = [pod("a", { conditions: { ready: false, serving: true, terminating: true } })];
    const [node] = nodesOf(read({ endpoints }, { conditions: "serving" }));
    expect(node?.metadata).toEqual({ terminating: "true" });
  });

  test.each<[string, object, object, string]>([
    ["its pod", pod("web-1", { hostname: "h" }), {}, "web-1"],
    ["its hostname, without a pod", { addresses: ["10.0.0.1"], hostname: "db-0" }, {}, "db-0"],
    ["its hostname, with a pod without a name", pod("", { hostname: "db-0" }), {}, "db-0"],
    ["its address, without either", { addresses: ["10.0.0.1"] }, {}, "10.0.0.1:80"],
    ["its address, when a name is not a string", pod(7), {}, "10.0.0.1:80"],
    ["its address, when that is configured", pod("web-1"), { nodeId: "address" }, "10.0.0.1:80"],
    ["namespace and pod, in all namespaces", pod("web-1"), { allNamespaces: true }, "default/web-1"],
  ])("has the id from %s", (_, endpoint, params, id) => {
    expect(nodesOf(read({ endpoints: [endpoint] }, params)).map((node) => node.id)).toEqual([id]);
  });

  test("uses the first of its addresses", () => {
    expect(nodesOf(read({ endpoints: [pod("a", { addresses: ["10.0.0.1", "10.0.0.2"] })] }))).toMatchObject([
      { host: "10.0.0.1" },
    ]);
  });

  test("that is listed twice in a slice is one member, preferably one that is not terminating", () => {
    const ending = pod("a", { conditions: { ready: false, serving: true, terminating: true } });
    const ready = pod("a", { addresses: ["10.0.0.2"] });
    for (const endpoints of [
      [ending, ready],
      [ready, ending],
    ])
      expect(nodesOf(read({ endpoints }, { conditions: "serving" }))).toMatchObject([{ host: "10.0.0.2" }]);
  });

  test("without changes is the same object", () => {
    const endpoints = [pod("a", { zone: "z" }), pod("b")];
    const before = nodesOf(read({ endpoints }));
    const after = nodesOf(read({ endpoints: [endpoints[0], pod("b", { zone: "z" })] }, {}, before));
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  test.each([
    ["null", null],
    ["a string", "10.0.0.1"],
    ["no addresses", pod("a", { addresses: [] })],
    ["addresses: null", pod("a", { addresses: null })],
    ["an address that is a number", pod("a", { addresses: [7] })],
    ["an address that is too long", pod("a", { addresses: ["x".repeat(254)] })],
  ])("that is malformed (%s) is left out and counted, and the others stay", (_, broken) => {
    const { nodes, skipped } = read({ endpoints: [pod("before"), broken, pod("after")] });
    expect([...nodes.keys()]).toEqual(["before", "after"]);
    expect(skipped).toEqual([expect.stringMatching(/^host: expected /)]);
  });

  // D2
  test.each(["http://10.0.0.1", "10.0.0.1:80", " ", "a b", "10.0.0.1\n", "-a", "a..b", ""])(
    "with the host %j is left out and counted",
    (host) => {
      const { nodes, skipped } = read({ endpoints: [pod("a"), pod("b", { addresses: [host] })] });
      expect([...nodes.keys()]).toEqual(["a"]);
      expect(skipped).toEqual([expect.stringMatching(/^host: expected /)]);
    },
  );

  test.each(["10.0.0.1", "2001:db8::1", "db.example.com", "DB_1.example.", "xn--a"])(
    "may have the host %s",
    (host) => {
      expect(nodesOf(read({ endpoints: [pod("a", { addresses: [host] })] }))).toMatchObject([{ host }]);
    },
  );

  // C1
  test("without an object keeps each address when several share a hostname", () => {
    const endpoints = [1, 2, 3].map((i) => ({ addresses: [`10.0.0.${i}`], hostname: "db" }));
    const { nodes, more, skipped } = read({ endpoints });
    expect([...nodes.values(), ...(more ?? []).map(({ node }) => node)].map(({ host }) => host)).toEqual([
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.3",
    ]);
    expect(skipped).toEqual([]);
  });

  // C3
  test("with texts that are too long stays a member without them, and is counted as trimmed", () => {
    const parts = { zone: "z".repeat(254), nodeName: "n".repeat(8_193) };
    const { nodes, trimmed, skipped } = read({ endpoints: [pod("p".repeat(254), parts), pod("b")] });
    const [node] = nodes.values();
    expect(node).toMatchObject({ host: "10.0.0.1", zone: undefined, metadata: {} });
    expect(node!.id).toHaveLength(253);
    expect(nodes.size).toBe(2);
    expect(trimmed).toHaveLength(3);
    expect(skipped).toEqual([]);
  });

  // H11
  test("that is not ready is in the list of unready keys", () => {
    const endpoints = [pod("a"), pod("b", { conditions: { ready: false } })];
    expect(read({ endpoints }).unready).toEqual(new Set(["b"]));
    expect(read({ endpoints: [pod("a")] }).unready).toBeUndefined();
  });

  test("with a zone that is not a string has no zone", () => {
    expect(nodesOf(read({ endpoints: [pod("a", { zone: 7, nodeName: {}, hints: 5 })] }))).toEqual([
      createClusterNode({ id: "a", host: "10.0.0.1", port: 80 }),
    ]);
  });
});

describe("the port", () => {
  const both = [
    { name: "http", port: 80 },
    { name: "metrics", port: 9090 },
  ];
  test.each<[string, readonly unknown[] | null, object, number | string]>([
    ["the only one", [{ port: 80 }], {}, 80],
    ["by name", both, { port: "metrics" }, 9090],
    ["by number", both, { port: 80 }, 80],
    ["by a quoted number", both, { port: "9090" }, 9090],
    [
      "by a quoted number that is the name of another port",
      [...both, { name: "9090", port: 1 }],
      { port: "9090" },
      1,
    ],
    ["by a string that is not a valid number", both, { port: "080" }, "its slice does not have the port"],
    ["none of several", both, {}, "its slice has several ports and none is selected"],
    ["the same number for two protocols", [{ port: 53, protocol: "UDP" }, { port: 53 }], {}, 53],
    ["a name that is not listed", both, { port: "grpc" }, "its slice does not have the port"],
    ["a number that is not listed", both, { port: 81 }, "its slice does not have the port"],
    ["no ports", [], {}, "its slice does not have the port"],
    ["ports: null", null, {}, "its slice does not have the port"],
    ["one without a number", [{ name: "http" }], {}, "its slice does not have the port"],
  ])("%s", (_, ports, params, expected) => {
    const { nodes, skipped } = read({ ports, endpoints: [pod("a"), pod("b")] }, params);
    if (typeof expected === "number") {
      expect([...nodes.values()].map(({ port }) => port)).toEqual([expected, expected]);
    } else {
      expect(nodes.size).toBe(0);
      expect(skipped).toEqual([expected, expected]);
    }
  });

  test("that is missing is not counted for a slice without endpoints", () => {
    expect(read({ ports: null, endpoints: [] })).toMatchObject({ skipped: [] });
  });
});

describe("the address family", () => {
  test.each([
    ["any", ["IPv4", "IPv6", "FQDN"]],
    ["ipv4", ["IPv4"]],
    ["ipv6", ["IPv6"]],
  ])("%s accepts slices with %j", (addressFamily, taken) => {
    const addresses = { IPv4: "10.0.0.1", IPv6: "2001:db8::1", FQDN: "db.example.com" };
    for (const [addressType, address] of Object.entries(addresses)) {
      const slice = { addressType, endpoints: [pod("a", { addresses: [address] })] };
      const { nodes, skipped, isIpv6 } = read(slice, { addressFamily });
      expect([...nodes.values()].map(({ host }) => host)).toEqual(
        taken.includes(addressType) ? [address] : [],
      );
      expect(skipped).toEqual([]);
      expect(isIpv6).toBe(addressType === "IPv6");
    }
  });
});

describe("a slice", () => {
  test.each([undefined, null, []])(
    "with endpoints %j has no members, and is not counted as skipped",
    (endpoints) => {
      expect(read({ endpoints })).toMatchObject({ nodes: new Map(), skipped: [] });
    },
  );

  test.each(["none", {}, 7])("with endpoints %j is counted as unreadable, not as empty", (endpoints) => {
    expect(read({ endpoints }).skipped).toEqual(["endpoints: expected a list"]);
  });

  test.each([
    [{ metadata: { namespace: "shop", name: "web-1" } }, "shop/web-1"],
    [{ metadata: { namespace: "shop", name: "" } }, undefined],
    [{ metadata: { namespace: "shop" } }, undefined],
    [{ metadata: null }, undefined],
    ["text", undefined],
    [null, undefined],
  ])("%j has the key %s", (slice, key) => {
    expect(objectKeyOf(slice)).toBe(key);
  });
});
