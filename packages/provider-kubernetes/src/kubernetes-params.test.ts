import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { kubernetes } from "./kubernetes.ts";
import {
  kubernetesParamsSchema,
  type KubernetesParams,
  type KubernetesSettings,
} from "./kubernetes-params.ts";

const isValid = (params: object): boolean =>
  kubernetesParamsSchema.safeParse({ service: "web", ...params }).success;

describe("kubernetesParamsSchema", () => {
  test("fills in the defaults", () => {
    expect(kubernetesParamsSchema.parse({ service: "web" })).toEqual({
      service: "web",
      allNamespaces: false,
      watch: "auto",
      addressFamily: "any",
      conditions: "ready",
      nodeId: "pod",
      execTimeoutMs: 10_000,
      settleMs: 300,
      pageSize: 50,
      watchTimeoutMs: 300_000,
      maxBytes: 67_108_864,
    });
  });

  test.each([
    ["a selector instead of a service", { service: undefined, selector: "app in (web,api),!canary" }],
    ["all namespaces", { allNamespaces: true }],
    ["a port by name", { port: "http" }],
    ["a port by number", { port: 8080 }],
    ["a kubeconfig by file", { kubeconfig: { file: "/etc/kubeconfig" }, context: "prod" }],
    ["a kubeconfig by environment", { kubeconfig: { env: "CLUSTER" } }],
    ["a server by IPv6", { server: "https://[::1]:6443" }],
    ["a server with a path", { server: "https://rancher.example.com/k8s/clusters/c-1", caFile: "/ca.pem" }],
  ])("accepts %s", (_, params) => {
    expect(isValid(params)).toBe(true);
  });

  test.each([
    // R1.1
    ["neither service nor selector", { service: undefined }, "service"],
    ["both service and selector", { selector: "app=web" }, "service"],
    ["a namespace together with allNamespaces", { namespace: "shop", allNamespaces: true }, "namespace"],
    ["a server together with a kubeconfig", { kubeconfig: { env: "X" }, server: "https://a" }, "server"],
    ["a context together with a server", { context: "prod", server: "https://a" }, "context"],
    ["a caFile without a server", { caFile: "/ca.pem" }, "caFile"],
    ["a certFile without a server", { certFile: "/cert.pem" }, "certFile"],
    ["a keyFile without a server", { keyFile: "/key.pem" }, "keyFile"],
    ["a serverName without a server", { serverName: "kubernetes" }, "serverName"],
    ["a token without a server", { token: { env: "TOKEN" } }, "token"],
    ["a server with credentials", { server: "https://admin:pw@a" }, "server"],
    ["a server with a query", { server: "https://a?token=x" }, "server"],
    ["a server without a scheme", { server: "127.0.0.1:6443" }, "server"],
    ["a service that is not a DNS label", { service: "Web_1" }, "service"],
    ["a namespace that is a path", { namespace: "../kube-system" }, "namespace"],
    ["port 0", { port: 0 }, "port"],
    ["an empty page", { pageSize: 0 }, "pageSize"],
    ["watches of less than a second", { watchTimeoutMs: 999 }, "watchTimeoutMs"],
  ])("rejects %s", (_, params, path) => {
    const { error } = kubernetesParamsSchema.safeParse({ service: "web", ...params });
    expect(error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  test("reports all problems at once, and rejects unknown parameters", () => {
    const { error } = kubernetesParamsSchema.safeParse({ servcie: "web", conditions: "all", pageSize: "9" });
    expect(error?.issues.map(({ code }) => code).toSorted()).toEqual([
      "invalid_type",
      "invalid_value",
      "unrecognized_keys",
    ]);
  });

  test.each(["token", "kubeconfig"])("rejects a literal secret as %s, with its own code", (name) => {
    // R1.6
    const result = kubernetesParamsSchema.safeParse({
      service: "web",
      server: "https://a",
      [name]: "b1gs33cr3t",
    });
    expect(result.error?.issues).toContainEqual(
      expect.objectContaining({
        path: [name],
        params: { code: "VALIDATION_LITERAL_SECRET" },
      }),
    );
    expect(result.error?.message).not.toContain("b1gs33cr3t");
  });

  test("its JSON Schema describes every parameter", () => {
    const schema = z.toJSONSchema(kubernetesParamsSchema, { io: "input" });
    expect(schema).toMatchObject({ additionalProperties: false });
    expect(Object.keys(schema.properties ?? {})).toHaveLength(22);
    for (const property of Object.values(schema.properties ?? {})) {
      expect(property).toHaveProperty("description");
    }
  });
});

test("a program needs to set only a service or a selector, and the settings contain every parameter that has a default", () => {
  expect(kubernetes({ service: "web" })).toMatchObject({ kind: "kubernetes", params: { service: "web" } });
  expectTypeOf<{ service: string }>().toExtend<KubernetesParams>();
  expectTypeOf<{ selector: string; port: number }>().toExtend<KubernetesParams>();
  expectTypeOf<{ namespace: string }>().not.toExtend<KubernetesParams>();
  expectTypeOf<{ service: string; selector: string }>().not.toExtend<KubernetesParams>();
  expectTypeOf<KubernetesSettings["pageSize"]>().toEqualTypeOf<number>();
});
