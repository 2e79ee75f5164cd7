import { ProvisioningError, type GenerationStore } from "@holdfast/core";
import { expect, test } from "vitest";
import { SharedGeneration } from "./shared-generation.ts";

function setUp() {
  const failures: ProvisioningError[] = [];
  let calls = 0;
  const store: GenerationStore = {
    next: ({ atLeast }) => {
      const failure = failures.shift();
      return failure === undefined ? Promise.resolve(atLeast + ++calls) : Promise.reject(failure);
    },
  };
  const shared = new SharedGeneration(store);
  return { failures, next: (name: string) => shared.for(name).next({ atLeast: 100 }) };
}

test("topologies share a number, and one that starts again gets a greater one", async () => {
  const { next } = setUp();
  expect(await Promise.all([next("a"), next("b"), next("c")])).toEqual([101, 101, 101]);
  expect(await next("b")).toBe(102);
  // Greater than its last one as well.
  expect(await Promise.all([next("a"), next("c"), next("b")])).toEqual([102, 102, 103]);
});

test("a failure of the store is passed on, and the next call asks again", async () => {
  const { failures, next } = setUp();
  failures.push(new ProvisioningError("STORE_IO", "full"));
  await expect(next("a")).rejects.toMatchObject({ code: "STORE_IO" });
  expect(await next("a")).toBe(101);
});
