import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consulParamsSchema, type ConsulSettings } from "../consul-params.ts";
import { toHealthPath, toIndexCheckPath, toScopedPath } from "./health-query.ts";

const parse = (params: object = {}): ConsulSettings =>
  consulParamsSchema.parse({ service: "web", ...params });
const atOnce = { index: 0, waitMs: 0 };
const toUrl = (path: string): URL => new URL(path, "http://consul");

describe("health queries", () => {
  test("contain all parameters", () => {
    const params = parse({
      tags: ["blue", "v2"],
      datacenter: "dc2",
      near: "_agent",
      filter: "Service.Port > 80",
      namespace: "team",
      partition: "east",
    });
    const { pathname, searchParams } = toUrl(toHealthPath(params, "default", { index: 7, waitMs: 55_000 }));
    expect(pathname).toBe("/v1/health/service/web");
    searchParams.sort();
    expect([...searchParams]).toEqual([
      ["dc", "dc2"],
      ["filter", "Service.Port > 80"],
      ["index", "7"],
      ["near", "_agent"],
      ["ns", "team"],
      ["partition", "east"],
      ["passing", "1"],
      ["tag", "blue"],
      ["tag", "v2"],
      ["wait", "55000ms"],
    ]);
  });

  test("request unhealthy instances when warnings count, and do not wait at index 0", () => {
    expect(toHealthPath(parse({ health: "warning" }), "default", atOnce)).toBe("/v1/health/service/web");
  });

  test.each(["stale", "consistent"] as const)("have the mode %s", (consistency) => {
    expect(toUrl(toHealthPath(parse(), consistency, atOnce)).searchParams.has(consistency)).toBe(true);
  });

  test("use the datacenter, namespace and partition of the parameters for other endpoints, too", () => {
    expect(toScopedPath("/v1/catalog/services", parse())).toBe("/v1/catalog/services");
    expect(toScopedPath("/v1/catalog/services", parse({ datacenter: "dc2", namespace: "team" }))).toBe(
      "/v1/catalog/services?dc=dc2&ns=team",
    );
  });

  test("encode any name, and the index check differs only in its filter", () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), (service, tag, filter) => {
        // "." and ".." cannot be a segment of the path of a URL.
        fc.pre(!/^\.{1,2}$/.test(service));
        const params = parse({ service, tags: [tag], filter });
        const query = toUrl(toHealthPath(params, "default", atOnce));
        const life = toUrl(toIndexCheckPath(params, "default", atOnce));
        expect(decodeURIComponent(query.pathname.slice("/v1/health/service/".length))).toBe(service);
        expect(query.searchParams.getAll("tag")).toEqual([tag]);
        expect(query.searchParams.get("filter")).toBe(filter ?? null);
        expect(life.pathname).toBe(query.pathname);
        for (const { searchParams } of [life, query]) searchParams.delete("filter");
        expect(life.search).toBe(query.search);
      }),
    );
  });
});
