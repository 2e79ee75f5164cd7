import { describe, expect, test } from "vitest";
import { ProvisioningError } from "@holdfast/core";
import type { ApiRequest } from "../access/api-client.ts";
import { ownSlicesOf } from "../endpoints/slice-targets.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { readConsistently } from "./read-consistently.ts";

const TARGET = ownSlicesOf(kubernetesParamsSchema.parse({ service: "web" }));

/** Returns the result of the read or its error, and the requests. */
async function read(version: string, ...answers: readonly (() => unknown)[]) {
  const asked: ApiRequest[] = [];
  const rest = [...answers];
  const client = {
    getJson: async (request: ApiRequest) => {
      asked.push(request);
      return rest.shift()!();
    },
  };
  const { signal } = new AbortController();
  const outcome: unknown = await readConsistently({
    client,
    target: TARGET,
    position: { version, place: "here" },
    withinMs: 2_000,
    signal,
  }).catch((error: unknown) => error);
  return { outcome, asked };
}

const at = (resourceVersion: string) => () => ({ metadata: { resourceVersion }, items: [] });
const failing =
  (
    code:
      | "CONNECTIVITY_UNAVAILABLE"
      | "CONNECTIVITY_UNAUTHORIZED"
      | "STREAM_EXPIRED"
      | "STREAM_FAILED"
      | "STREAM_STALE",
    status?: number,
  ) =>
  () => {
    throw new ProvisioningError(code, "it failed", { details: { status } });
  };

describe("a consistent read", () => {
  // H1
  test("requests one object that does not exist, without a version", async () => {
    const { outcome, asked } = await read("7", at("7"));
    expect(outcome).toBe(true);
    expect(asked).toMatchObject([{ verb: "list", isSingleNamespace: true, place: "here" }]);
    expect(asked[0]?.query).toEqual({ limit: "1", fieldSelector: "metadata.name=holdfast-none" });
  });

  test.each([
    ["9", "10", true],
    ["10", "9", false],
    ["99999999999999999998", "99999999999999999999", true],
    ["99999999999999999999", "99999999999999999998", false],
  ])("of the version %s at storage %s is %s", async (version, stored, expected) => {
    expect((await read(version, at(stored))).outcome).toBe(expected);
  });

  test("with versions that are not numbers requests a list that is not older", async () => {
    const { outcome, asked } = await read("b", at("a"), at("a"));
    expect(outcome).toBe(true);
    expect(asked[1]?.query).toMatchObject({ resourceVersion: "b", resourceVersionMatch: "NotOlderThan" });
    expect((await read("b", at("a"), failing("CONNECTIVITY_UNAVAILABLE", 504))).outcome).toBe(false);
  });

  test.each([
    ["a server error", failing("CONNECTIVITY_UNAVAILABLE", 500), "STREAM_STALE"],
    ["no response in time", failing("STREAM_STALE"), "STREAM_STALE"],
    ["a refusal", failing("CONNECTIVITY_UNAUTHORIZED", 403), "CONNECTIVITY_UNAUTHORIZED"],
    ["a broken connection", failing("STREAM_FAILED"), "STREAM_FAILED"],
    ["another response", () => ({}), "STREAM_INVALID_DATA"],
  ])("with %s throws %s", async (_, answer, code) => {
    expect((await read("1", answer)).outcome).toMatchObject({ code });
  });

  test("that reaches another server reports an expired version", async () => {
    expect((await read("1", failing("STREAM_EXPIRED"))).outcome).toBe(false);
  });
});
