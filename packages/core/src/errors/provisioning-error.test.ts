import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, test } from "vitest";
import { categoryOf, ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./error-codes.ts";
import type * as original from "./provisioning-error.ts";
import { isProvisioningError, ProvisioningError, toProvisioningError } from "./provisioning-error.ts";

const CATEGORIES: readonly ErrorCategory[] = [
  "validation",
  "connectivity",
  "stream",
  "store",
  "order",
  "lifecycle",
  "topology",
];
const CODES = Object.keys(ERROR_TABLE) as ErrorCode[]; // the keys of a table by code are codes

describe("the error table", () => {
  test("has a category prefix and a meaning for every code", () => {
    // R5.5
    expect(new Set(CODES.map(categoryOf))).toEqual(new Set(CATEGORIES));
    for (const code of CODES) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
      expect(ERROR_TABLE[code].meaning).toMatch(/^\S.*[^.\s]$/);
    }
    const meanings = CODES.map((code) => ERROR_TABLE[code].meaning);
    expect(new Set(meanings).size).toBe(meanings.length);
  });

  test("keeps every code ever published", () => {
    // R5.5
    expect(CODES).toEqual(
      expect.arrayContaining([
        "VALIDATION_MISSING_FIELD",
        "VALIDATION_MALFORMED",
        "VALIDATION_DUPLICATE_ID",
        "VALIDATION_UNKNOWN_KIND",
        "VALIDATION_ADAPTER_UNAVAILABLE",
        "VALIDATION_UNKNOWN_ID",
        "VALIDATION_LITERAL_SECRET",
        "VALIDATION_MISSING_CAPABILITY",
        "VALIDATION_SUPPRESSED",
        "CONNECTIVITY_REFUSED",
        "CONNECTIVITY_TIMEOUT",
        "CONNECTIVITY_UNAUTHORIZED",
        "CONNECTIVITY_UNKNOWN_TOKEN",
        "CONNECTIVITY_TLS",
        "CONNECTIVITY_SECRET_UNAVAILABLE",
        "CONNECTIVITY_NO_LEADER",
        "CONNECTIVITY_UNAVAILABLE",
        "CONNECTIVITY_OVERLOADED",
        "STREAM_FAILED",
        "STREAM_ENDED",
        "STREAM_SILENT",
        "STREAM_LATE",
        "STREAM_INVALID_DATA",
        "STREAM_INDEX_ROLLBACK",
        "STREAM_EXPIRED",
        "STORE_CORRUPTED",
        "STORE_IO",
        "STORE_CONFLICT",
        "ORDER_STALE_SEQUENCE",
        "LIFECYCLE_SHUTTING_DOWN",
        "LIFECYCLE_STOPPED",
        "LIFECYCLE_NOT_STARTED",
        "LIFECYCLE_ABORTED",
        "LIFECYCLE_DRAIN_DEADLINE",
        "LIFECYCLE_CONSUMER_FAILED",
        "LIFECYCLE_INTERNAL",
        "TOPOLOGY_NO_SNAPSHOT",
        "TOPOLOGY_EMPTY",
        "TOPOLOGY_UNAVAILABLE",
      ] satisfies ErrorCode[]),
    );
  });
});

describe("ProvisioningError", () => {
  test.each(CODES)("%s has its code, category and retryable flag", (code) => {
    const error = new ProvisioningError(code, "it failed, for p");
    // R5.5
    expect(error).toMatchObject({
      name: "ProvisioningError",
      message: `[${code}] it failed, for p`,
      code,
      category: code.split("_")[0]!.toLowerCase(),
      retryable: ERROR_TABLE[code].retryable,
      details: {},
    });
    expect(error).toBeInstanceOf(Error);
    expect("cause" in error).toBe(false);
  });

  test("retryable can be overridden for one occurrence", () => {
    expect(new ProvisioningError("STREAM_FAILED", "x", { retryable: false }).retryable).toBe(false);
  });

  test("its JSON form has everything but the cause", () => {
    const error = new ProvisioningError("STORE_IO", "x", {
      cause: new Error("canary"),
      details: { file: "f", line: 3 },
    });
    expect(error.cause).toEqual(new Error("canary"));
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "STORE_IO",
      category: "store",
      retryable: true,
      message: "[STORE_IO] x",
      details: { file: "f", line: 3 },
    });
  });
});

describe("isProvisioningError", () => {
  test("recognises the error of another copy of this package", async () => {
    // A query makes the module loader load the file once more.
    const url = new URL("./provisioning-error.ts?copy", import.meta.url).href;
    const copy = (await import(/* @vite-ignore */ url)) as typeof original; // the same file
    const theirs = new copy.ProvisioningError("STREAM_ENDED", "x");
    // R5.5
    expect(copy.ProvisioningError).not.toBe(ProvisioningError);
    expect(theirs).not.toBeInstanceOf(ProvisioningError);
    expect(isProvisioningError(theirs)).toBe(true);
    expect(copy.isProvisioningError(new ProvisioningError("STREAM_ENDED", "x"))).toBe(true);
    expect(toProvisioningError(theirs, "LIFECYCLE_INTERNAL", "y")).toBe(theirs);
  });

  test.each([
    undefined,
    null,
    "STREAM_ENDED",
    new Error("x"),
    { code: "STREAM_ENDED", name: "ProvisioningError" },
  ])("is not taken in by %s", (value) => {
    expect(isProvisioningError(value)).toBe(false);
  });
});

describe("toProvisioningError", () => {
  test("returns a ProvisioningError unchanged and wraps anything else", () => {
    const ours = new ProvisioningError("STREAM_ENDED", "x");
    expect(toProvisioningError(ours, "STREAM_FAILED", "y")).toBe(ours);
    const wrapped = toProvisioningError("boom", "STREAM_FAILED", "y");
    expect(wrapped).toMatchObject({ code: "STREAM_FAILED", message: "[STREAM_FAILED] y", cause: "boom" });
  });
});

test("codes and categories are closed unions", () => {
  expectTypeOf<ProvisioningError["code"]>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<ErrorCode>().not.toEqualTypeOf<string>();
  expectTypeOf<"STREAM_FAILED">().toExtend<ErrorCode>();
  expectTypeOf<"STREAM_BROKE">().not.toExtend<ErrorCode>();
  expectTypeOf<(typeof CATEGORIES)[number]>().toEqualTypeOf<ErrorCategory>();
});

test("the README lists every code with its meaning in the table", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (yes|no) +\| (.+?) +\|$/gm)].map((row) =>
    row.slice(1),
  );
  expect(rows).toEqual(
    CODES.map((code) => [code, ERROR_TABLE[code].retryable ? "yes" : "no", ERROR_TABLE[code].meaning]),
  );
});
