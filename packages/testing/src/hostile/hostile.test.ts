import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { allTextOf, findSecret } from "./all-text-of.ts";
import { assertUnpolluted, nest } from "./hostile-values.ts";
import { cutInto, mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import { outcomeOf } from "./outcome-of.ts";

const SECRET = "s3cr3t-0f-th3-t3st";
const SAMPLE = { items: [{ id: "a", port: 80, tags: ["x"] }], metadata: { version: "1" } };
const mutations = Array.from({ length: 400 }, (_, i) => ({ place: i * 7, choice: i * 13 }));

describe("mutateJson", () => {
  test("changes the structure, identically for equal mutations, without changing the sample", () => {
    const before = JSON.stringify(SAMPLE);
    const texts = new Set(mutations.map((mutation) => JSON.stringify(mutateJson(SAMPLE, [mutation]))));
    expect(texts.size).toBeGreaterThan(50);
    expect([...texts].filter((text) => text.includes('"__proto__":{"polluted":true}'))).not.toEqual([]);
    expect(mutateJson(SAMPLE, mutations.slice(0, 9))).toEqual(mutateJson(SAMPLE, mutations.slice(0, 9)));
    expect(JSON.stringify(SAMPLE)).toBe(before);
    assertUnpolluted();
  });

  test("applies many mutations, also when little data is left to change", () => {
    expect(() => JSON.stringify(mutateJson(SAMPLE, mutations))).not.toThrow();
    expect(JSON.stringify(nest(3))).toBe("[[[]]]");
  });
});

test("mutateBytes changes any bytes, also an empty input", () => {
  const bytes = Buffer.from(JSON.stringify(SAMPLE));
  const texts = new Set(mutations.map((mutation) => mutateBytes(bytes, [mutation]).toString("latin1")));
  expect(texts.size).toBeGreaterThan(200);
  expect(mutateBytes(Buffer.alloc(0), mutations).length).toBeGreaterThan(0);
});

test("cutInto returns all bytes in parts", () => {
  const bytes = Buffer.from("abcdef");
  expect(cutInto(bytes, [3, 9, 3]).map(String)).toEqual(["ab", "c", "def"]);
  expect(cutInto(bytes, [])).toEqual([bytes]);
});

test("assertUnpolluted detects and restores a changed prototype", () => {
  const shared: object = Object.getPrototypeOf({});
  Object.defineProperty(shared, "polluted", { value: true, configurable: true });
  expect(assertUnpolluted).toThrow("changed");
  expect(assertUnpolluted).not.toThrow();
});

describe("outcomeOf", () => {
  test("distinguishes ProvisioningErrors from bugs", async () => {
    const error = new ProvisioningError("STREAM_FAILED", "it broke");
    expect(await outcomeOf(() => 1)).toEqual({ value: 1 });
    expect(await outcomeOf(() => Promise.reject(error))).toEqual({ error });
    await expect(outcomeOf(() => JSON.parse("{"))).rejects.toThrow(SyntaxError);
    const bug = new ProvisioningError("LIFECYCLE_INTERNAL", "a bug");
    await expect(outcomeOf(() => Promise.reject(bug))).rejects.toBe(bug);
    for (const cause of [
      new TypeError("x"),
      new AggregateError([new Error("y", { cause: new RangeError("x") })]),
    ]) {
      const wrapped = new ProvisioningError("STREAM_FAILED", "it broke", { cause });
      await expect(outcomeOf(() => Promise.reject(wrapped))).rejects.toBe(wrapped);
    }
  });
});

describe("findSecret", () => {
  test.each([
    ["a message", new ProvisioningError("STREAM_FAILED", `with ${SECRET}`)],
    ["details", new ProvisioningError("STREAM_FAILED", "x", { details: { a: { b: [SECRET] } } })],
    ["a hidden field", Object.defineProperty(new Error("x"), "input", { value: SECRET })],
    [
      "bytes of a cause",
      new Error("x", { cause: Object.assign(new Error("y"), { raw: Buffer.from(SECRET) }) }),
    ],
    ["one of several causes", new Error("x", { cause: new AggregateError([new Error(SECRET)]) })],
    ["base64", `authorization: Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`],
    ["a URL", `http://a.test/?q=${encodeURIComponent(SECRET)}`],
    ["hexadecimal", Buffer.from(SECRET).toString("hex")],
  ])("finds it in %s", (_, holder) => {
    expect(findSecret(allTextOf(holder), SECRET)).not.toEqual([]);
  });

  test("finds nothing in an error without the secret", () => {
    const error = new ProvisioningError("STREAM_FAILED", "it broke", {
      cause: new Error("so"),
      details: { a: 1 },
    });
    expect(findSecret(allTextOf(error), SECRET)).toEqual([]);
  });
});
