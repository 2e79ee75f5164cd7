import { expect, test } from "vitest";
import { callIsolated } from "./call-isolated.ts";
import { systemClock } from "./system-clock.ts";

test("passes an error or rejection of the call to onFailure, and nothing else", async () => {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  callIsolated(() => {
    throw "thrown";
  }, onFailure);
  callIsolated(() => Promise.reject("rejected"), onFailure);
  callIsolated(() => Promise.resolve("fine"), onFailure);
  callIsolated(() => "fine", onFailure);
  await systemClock.yield();
  expect(failures).toEqual(["thrown", "rejected"]);
});

test("without onFailure a failure is dropped: neither thrown nor unhandled", async () => {
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", listener);
  callIsolated(() => {
    throw new Error("thrown");
  });
  callIsolated(() => Promise.reject(new Error("rejected")));
  await systemClock.yield();
  await systemClock.yield();
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});
