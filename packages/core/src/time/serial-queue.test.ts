import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { SerialQueue } from "./serial-queue.ts";
import { systemClock } from "./system-clock.ts";

describe("SerialQueue", () => {
  test("runs one task at a time, in call order", async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    let running = 0;
    const results = await Promise.all(
      [3, 1, 2].map((n) =>
        queue.run(async () => {
          expect(++running).toBe(1);
          log.push(`start ${n}`);
          for (let i = 0; i < n; i++) await systemClock.yield();
          log.push(`end ${n}`);
          running--;
          return n * 10;
        }),
      ),
    );
    expect(results).toEqual([30, 10, 20]);
    expect(log).toEqual(["start 3", "end 3", "start 1", "end 1", "start 2", "end 2"]);
  });

  test("a failed task does not affect others", async () => {
    const queue = new SerialQueue();
    const rejected = queue.run(() => Promise.reject(new Error("rejected")));
    const thrown = queue.run(() => {
      throw new Error("thrown");
    });
    const fine = queue.run(() => Promise.resolve("fine"));
    await expect(rejected).rejects.toThrow("rejected");
    await expect(thrown).rejects.toThrow("thrown");
    await expect(fine).resolves.toBe("fine");
  });

  test("a signal removes a waiting task immediately, and it never runs", async () => {
    const queue = new SerialQueue();
    const controller = new AbortController();
    const gate = Promise.withResolvers<void>();
    const first = queue.run(() => gate.promise);
    let hasRun = false;
    const second = queue.run(async () => void (hasRun = true), controller.signal);
    const third = queue.run(() => Promise.resolve("third"));
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    gate.resolve();
    await first;
    await expect(third).resolves.toBe("third");
    expect(hasRun).toBe(false);
  });

  test("rejects with the signal's reason, whether it has already aborted or not", async () => {
    const reason = new ProvisioningError("LIFECYCLE_STOPPED", "stopped");
    const work = new SerialQueue().run(() => Promise.resolve(), AbortSignal.abort(reason));
    await expect(work).rejects.toBe(reason);
  });

  test("once a task has started, the queue ignores the signal", async () => {
    const queue = new SerialQueue();
    const controller = new AbortController();
    const gate = Promise.withResolvers<string>();
    const work = queue.run(() => gate.promise, controller.signal);
    await systemClock.yield();
    let hasSettled = false;
    const settled = work.finally(() => (hasSettled = true));
    controller.abort();
    await systemClock.yield();
    expect(hasSettled).toBe(false);
    gate.resolve("done");
    await expect(settled).resolves.toBe("done");
  });

  test("a task that fails after its signal aborted fails with its own error", async () => {
    const queue = new SerialQueue();
    const controller = new AbortController();
    const gate = Promise.withResolvers<string>();
    const work = queue.run(() => gate.promise, controller.signal);
    await systemClock.yield();
    controller.abort();
    gate.reject(new Error("own"));
    await expect(work).rejects.toThrow("own");
  });

  test("leaves no listener on the signal", async () => {
    const queue = new SerialQueue();
    const { signal } = new AbortController();
    await queue.run(() => Promise.resolve(), signal);
    await queue.run(() => Promise.reject(new Error("x")), signal).catch(() => undefined);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
