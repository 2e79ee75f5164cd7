import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ManualClock } from "../../test/manual-clock.ts";
import { createClusterNode } from "../model/cluster-node.ts";
import { sleep } from "../time/sleep.ts";
import { defineRegistrar, type RegistrarEnvironment } from "./define-registrar.ts";

interface Params {
  readonly folder: string;
  readonly ttlMs: number;
}

const clock = new ManualClock();
const self = createClusterNode({ id: "a", host: "10.0.0.1", port: 7001 });
const { signal } = new AbortController();

function defineTested() {
  const calls: string[] = [];
  let environment: RegistrarEnvironment<Params> | undefined;
  const tested = defineRegistrar({
    kind: "tested",
    params: z.strictObject({ folder: z.string(), ttlMs: z.int().min(1).default(10) }),
    open(given) {
      environment = given;
      return {
        beatMs: given.params.ttlMs / 2,
        ttlMs: given.params.ttlMs,
        register: async () => void calls.push("register"),
        beat: () => Promise.reject(new TypeError("a bug")),
        drain: (options) => sleep(1_000, { clock, ...options }),
        leave: async () => void calls.push("leave"),
        close: () => void calls.push("close"),
      };
    },
  });
  return { tested, calls, environment: () => environment };
}

// R8.4
describe("defineRegistrar", () => {
  test("opens a registration with the defaults filled in", async () => {
    const { tested, calls, environment } = defineTested();
    const registration = tested({ folder: "x" }).open(self, { clock });
    expect(environment()).toEqual({ params: { folder: "x", ttlMs: 10 }, self, clock });
    expect(registration).toMatchObject({ beatMs: 5, ttlMs: 10 });
    expect(registration.audit?.()).toEqual([]);
    await registration.register({ signal });
    await registration.leave({ signal });
    expect(calls).toEqual(["register", "leave"]);
    await registration[Symbol.asyncDispose]();
  });

  test("refuses malformed parameters with every problem and without their values", () => {
    const { tested } = defineTested();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a program without types
    const params = { folder: 5, ttlMs: 0, secret: "hunter2" } as unknown as Params;
    expect(() => tested(params)).toThrow(
      expect.objectContaining({
        code: "VALIDATION_MALFORMED",
        message:
          "[VALIDATION_MALFORMED] the parameters of the tested registrar are malformed: folder is a number, expected string",
        details: {
          problems: [
            expect.objectContaining({ path: "folder" }),
            expect.objectContaining({ path: "ttlMs" }),
            expect.objectContaining({ path: "secret" }),
          ],
        },
      }),
    );
  });

  test("an error that has no code becomes LIFECYCLE_INTERNAL", async () => {
    const registration = defineTested().tested({ folder: "x" }).open(self, { clock });
    await expect(registration.beat({ signal })).rejects.toMatchObject({
      code: "LIFECYCLE_INTERNAL",
      message: expect.stringContaining('"beat" of the tested registrar failed'),
      cause: new TypeError("a bug"),
    });
    await registration[Symbol.asyncDispose]();
  });

  test("a call ends with its signal, and does not start when it has aborted", async () => {
    const { tested, calls } = defineTested();
    const registration = tested({ folder: "x" }).open(self, { clock });
    const stop = new AbortController();
    const draining = registration.drain({ signal: stop.signal });
    stop.abort();
    await expect(draining).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await expect(registration.register({ signal: stop.signal })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
    expect(calls).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    await registration[Symbol.asyncDispose]();
  });

  test("a call that has ended leaves no listener, also not for the disposal", async () => {
    const registered: AbortSignal[] = [];
    const counting = defineRegistrar({
      kind: "counting",
      params: z.strictObject({}),
      open: () => ({
        register: async (options) => void registered.push(options.signal),
        beat: async () => {},
        drain: async () => {},
        leave: async () => {},
      }),
    });
    const registration = counting({}).open(self, { clock });
    await registration.register({ signal });
    await registration[Symbol.asyncDispose]();
    // The signal of an ended call follows neither the caller nor the disposal.
    expect(registered[0]?.aborted).toBe(false);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("disposal ends calls with LIFECYCLE_STOPPED and closes once", async () => {
    const { tested, calls } = defineTested();
    const registration = tested({ folder: "x" }).open(self, { clock });
    const draining = registration.drain({ signal });
    await Promise.all([registration[Symbol.asyncDispose](), registration[Symbol.asyncDispose]()]);
    await expect(draining).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await expect(registration.register({ signal })).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(calls).toEqual(["close"]);
    expect(clock.pendingTimers).toBe(0);
  });
});
