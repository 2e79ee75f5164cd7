import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { SharedCalls } from "./shared-calls.ts";

/** A call whose end the test decides. */
function createCall() {
  const end = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const call = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return end.promise;
  };
  return { call, signals, end };
}

const never = new AbortController().signal;

describe("SharedCalls", () => {
  test("users with the same key wait for one call, and others for their own", async () => {
    const calls = new SharedCalls();
    const { call, signals, end } = createCall();
    const results = [calls.run("a", call, never), calls.run("a", call, never), calls.run("b", call, never)];
    expect(signals).toHaveLength(2);
    end.resolve("done");
    expect(await Promise.all(results)).toEqual(["done", "done", "done"]);
    await calls.run("a", call, never);
    expect(signals).toHaveLength(3);
  });

  test("a failure reaches every user, and the next call is a new one", async () => {
    const calls = new SharedCalls();
    const { call, end } = createCall();
    const results = [calls.run("a", call, never), calls.run("a", call, never)];
    const error = new ProvisioningError("CONNECTIVITY_REFUSED", "no server listens");
    end.reject(error);
    expect(await Promise.allSettled(results)).toEqual([
      { status: "rejected", reason: error },
      { status: "rejected", reason: error },
    ]);
    expect(await calls.run("a", async () => "new", never)).toBe("new");
  });

  test("a user that aborts leaves the others undisturbed, and the last one ends the call", async () => {
    const calls = new SharedCalls();
    const { call, signals, end } = createCall();
    const [first, second] = [new AbortController(), new AbortController()];
    const results = [calls.run("a", call, first.signal), calls.run("a", call, second.signal)];
    first.abort();
    await expect(results[0]).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(signals[0]?.aborted).toBe(false);
    second.abort();
    await expect(results[1]).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(signals[0]?.aborted).toBe(true);
    // A call that was aborted is not joined, although it has not ended.
    const next = calls.run("a", call, never);
    expect(signals).toHaveLength(2);
    end.resolve("done");
    expect(await next).toBe("done");
  });
});
