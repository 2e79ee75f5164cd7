import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { consul } from "./consul.ts";
import { consulParamsSchema, type ConsulParams, type ConsulSettings } from "./consul-params.ts";

const isValid = (params: object): boolean =>
  consulParamsSchema.safeParse({ service: "web", ...params }).success;

describe("consulParamsSchema", () => {
  test("fills in the defaults", () => {
    expect(consulParamsSchema.parse({ service: "web" })).toEqual({
      addresses: ["http://127.0.0.1:8500"],
      service: "web",
      tags: [],
      health: "passing",
      consistency: "default",
      maxStaleMs: 600_000,
      waitMs: 50_000,
      minGapMs: 50,
      maxBytes: 67_108_864,
      maxBlockingQueries: 128,
      nodeId: "node-and-service",
      zoneMeta: "zone",
    });
  });

  test("by default a blocking query is shorter than the common idle timeout of 60 s of load balancers", () => {
    // E5: Consul adds up to one sixteenth.
    const { waitMs } = consulParamsSchema.parse({ service: "web" });
    expect((waitMs * 17) / 16).toBeLessThan(57_000);
  });

  test("the age of stale content can be unlimited", () => {
    expect(isValid({ maxStaleMs: "any" })).toBe(true);
    expect(isValid({ maxStaleMs: "all" })).toBe(false);
  });

  test.each([
    "http://127.0.0.1:8500",
    "https://consul.example.com",
    "http://[::1]:8500",
    "https://consul-server.consul.svc:8501/",
  ])("%s is an address", (address) => {
    expect(isValid({ addresses: [address] })).toBe(true);
  });

  test.each([
    "127.0.0.1:8500",
    "ftp://127.0.0.1",
    "http://user:password@127.0.0.1:8500",
    "http://127.0.0.1:8500/v1",
    "http://127.0.0.1:8500?token=x",
    "http://127.0.0.1:99999",
    "http://300.300.300.300:8500",
    "http://[::::]:8500",
    "unix:///run/consul.sock",
    "",
  ])("%j is not an address", (address) => {
    expect(isValid({ addresses: [address] })).toBe(false);
  });

  test.each([
    ["no service", { service: undefined }],
    ["an unknown parameter", { servcie: "web" }],
    ["no address", { addresses: [] }],
    ["a wait above a minute", { waitMs: 60_001 }],
    ["a wait below a second", { waitMs: 999 }],
    ["no pause", { minGapMs: 0 }],
    ["an unknown consistency", { consistency: "eventual" }],
    ["an unknown TLS file", { tls: { ca: "ca.pem" } }],
    ["an unknown rule for ids", { nodeId: "random" }],
  ])("refuses %s", (_, params) => {
    expect(isValid(params)).toBe(false);
  });

  test("rejects a literal token with its own code", () => {
    // R1.6
    const result = consulParamsSchema.safeParse({ service: "web", token: "b1gs33cr3t" });
    expect(result.error?.issues).toMatchObject([
      { path: ["token"], params: { code: "VALIDATION_LITERAL_SECRET" } },
    ]);
    expect(isValid({ token: { env: "CONSUL_TOKEN" } })).toBe(true);
  });

  test("its JSON Schema describes every parameter", () => {
    const schema = z.toJSONSchema(consulParamsSchema, { io: "input" });
    expect(schema).toMatchObject({ required: ["service"], additionalProperties: false });
    for (const property of Object.values(schema.properties ?? {})) {
      expect(property).toHaveProperty("description");
    }
  });
});

test("a program needs to set only the service, and the settings contain every parameter that has a default", () => {
  expect(consul({ service: "web" })).toMatchObject({ kind: "consul", params: { service: "web" } });
  expectTypeOf<{ service: string }>().toExtend<ConsulParams>();
  expectTypeOf<{ tags: [] }>().not.toExtend<ConsulParams>();
  expectTypeOf<ConsulSettings["waitMs"]>().toEqualTypeOf<number>();
  expectTypeOf<ConsulSettings>().toExtend<ConsulParams>();
});
