import * as z from "zod";
import { describe, expect, test } from "vitest";
import { sleep } from "../time/sleep.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { defineAdapter, type AdapterEnvironment } from "./define-adapter.ts";
import { ManualClock } from "../../test/manual-clock.ts";

interface Params {
  readonly path: string;
  readonly pollMs: number;
}

const clock = new ManualClock();
const context = { clock, random: () => 0, heartbeatMs: 1_000 };

function defineTested() {
  const calls: string[] = [];
  let opened: AdapterEnvironment<Params> | undefined;
  const tested = defineAdapter({
    kind: "tested",
    params: z.strictObject({ path: z.string(), pollMs: z.number().default(10) }),
    open(environment) {
      opened = environment;
      return {
        async probe({ signal }) {
          calls.push("probe");
          await sleep(1_000, { clock, signal });
        },
        async *watch({ signal }) {
          calls.push("watch");
          yield { type: "heartbeat" };
          await sleep(1_000, { clock, signal });
        },
        close: () => void calls.push("close"),
      };
    },
  });
  return { tested, calls, opened: () => opened };
}

const descriptor = { id: "a", kind: "tested", priority: 1, params: { path: "x", pollMs: 5 } };

describe("defineAdapter", () => {
  test("returns an adapter whose schema fills in the defaults, and opens a provider with its descriptor and folder", () => {
    const { tested, opened } = defineTested();
    const adapter = tested.createAdapter({ baseDir: "/base" });
    expect(adapter.params.parse({ path: "x" })).toEqual({ path: "x", pollMs: 10 });
    const provider = adapter.create(descriptor, context);
    expect(provider.descriptor).toBe(descriptor);
    expect(opened()).toMatchObject({ descriptor, baseDir: "/base", heartbeatMs: 1_000 });
  });

  test("returns the adapter's audit, and an empty list by default", async () => {
    const { tested } = defineTested();
    const { signal } = new AbortController();
    const provider = tested.createAdapter().create(descriptor, context);
    expect(await provider.audit?.({ signal })).toEqual([]);
    const reason = { code: "CONNECTIVITY_INSECURE", message: "TLS is not verified" } as const;
    const insecure = defineAdapter({
      kind: "insecure",
      params: z.strictObject({}),
      open: () => ({ probe: async () => {}, async *watch() {}, audit: async () => [reason] }),
    });
    const audited = insecure.createAdapter().create({ ...descriptor, params: {} }, context);
    expect(await audited.audit?.({ signal })).toEqual([reason]);
  });

  test("a probe that fails rejects with a connectivity error, and with the signal's reason once that has aborted", async () => {
    const broken = new ProvisioningError("STREAM_FAILED", "x");
    const failing = defineAdapter({
      kind: "failing",
      params: z.strictObject({}),
      open: () => ({ probe: () => Promise.reject(broken), async *watch() {} }),
    });
    const provider = failing.createAdapter().create({ ...descriptor, params: {} }, context);
    const stop = new AbortController();
    await expect(provider.probe({ signal: stop.signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      cause: broken,
    });
    const probing = provider.probe({ signal: stop.signal });
    stop.abort();
    await expect(probing).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });

  test("passes untilRenewed on, and omits it if the adapter does", async () => {
    const { tested } = defineTested();
    expect(tested.createAdapter().create(descriptor, context)).toHaveProperty("untilRenewed", undefined);
    const signals: AbortSignal[] = [];
    const renewing = defineAdapter({
      kind: "renewing",
      params: z.strictObject({}),
      open: () => ({
        probe: async () => {},
        async *watch() {},
        untilRenewed: async ({ signal }) => void signals.push(signal),
      }),
    });
    const { signal } = new AbortController();
    await renewing
      .createAdapter()
      .create({ ...descriptor, params: {} }, context)
      .untilRenewed?.({ signal });
    expect(signals).toEqual([signal]);
  });

  test("called with parameters it returns a provider for a program", () => {
    const { tested } = defineTested();
    expect(tested({ path: "x" })).toMatchObject({ kind: "tested", params: { path: "x" } });
    expect(tested({ path: "x" }).id).toBeUndefined();
    expect(tested({ path: "x" }, { id: "eu" }).id).toBe("eu");
    expect(tested({ path: "x" }).createAdapter().kind).toBe("tested");
  });

  test("disposal ends probes and watches with LIFECYCLE_STOPPED and closes once", async () => {
    const { tested, calls } = defineTested();
    const provider = tested.createAdapter().create(descriptor, context);
    const { signal } = new AbortController();
    const probing = provider.probe({ signal });
    const events = provider.watch({ signal })[Symbol.asyncIterator]();
    await events.next();
    const next = events.next();
    await Promise.all([provider[Symbol.asyncDispose](), provider[Symbol.asyncDispose]()]);
    await expect(probing).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await expect(next).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await expect(provider.probe({ signal })).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(calls).toEqual(["probe", "watch", "close"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a watch ends without an error when its signal aborts", async () => {
    const { tested } = defineTested();
    const provider = tested.createAdapter().create(descriptor, context);
    const stop = new AbortController();
    const events = provider.watch({ signal: stop.signal })[Symbol.asyncIterator]();
    await events.next();
    const next = events.next();
    stop.abort();
    expect(await next).toMatchObject({ done: true });
    await provider[Symbol.asyncDispose]();
  });
});

function defineShared() {
  let created = 0;
  const closed: string[] = [];
  const tested = defineAdapter({
    kind: "tested",
    params: z.strictObject({}),
    share: () => ({ number: ++created }),
    open: (_, { number }) => ({
      probe: async () => undefined,
      async *watch() {
        yield { type: "ended", reason: { code: "STREAM_ENDED", message: `shared ${number}` } };
      },
    }),
    discovery: {
      params: z.strictObject({ tag: z.string() }),
      open: ({ params }, { number }) => ({
        async *services({ signal }) {
          yield { type: "services", services: [{ name: `${params.tag}-${number}` }] };
          await sleep(1_000, { clock, signal });
        },
        close: () => void closed.push(params.tag),
      }),
    },
  });
  return { tested, closed };
}
describe("defineAdapter with shared parts and a discovery", () => {
  const { signal } = new AbortController();

  test("all providers and discoveries of one adapter share one object, and two adapters share none", async () => {
    const { tested } = defineShared();
    const [first, second] = [tested.createAdapter(), tested.createAdapter()];
    const events = first.create({ ...descriptor, params: {} }, context).watch({ signal });
    const firstEvent = await events[Symbol.asyncIterator]().next();
    expect(firstEvent.value).toMatchObject({ reason: { message: "shared 1" } });
    const found = second.discovery!.create({ tag: "web" }, context).services({ signal });
    expect((await found[Symbol.asyncIterator]().next()).value).toEqual({
      type: "services",
      services: [{ name: "web-2" }],
    });
  });

  test("disposal of a discovery ends its watch with LIFECYCLE_STOPPED and closes it once", async () => {
    const { tested, closed } = defineShared();
    const discovery = tested.createAdapter().discovery!.create({ tag: "web" }, context);
    const events = discovery.services({ signal })[Symbol.asyncIterator]();
    await events.next();
    const next = events.next();
    await Promise.all([discovery[Symbol.asyncDispose](), discovery[Symbol.asyncDispose]()]);
    await expect(next).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(closed).toEqual(["web"]);
  });

  test("a discovery names the values that templates can use", () => {
    const { tested } = defineShared();
    expect(tested.createAdapter().discovery?.values).toEqual([]);
    const { createAdapter } = defineAdapter({
      kind: "tested",
      params: z.strictObject({}),
      open: notUsed,
      discovery: { params: z.strictObject({}), values: ["namespace"], open: notUsed },
    });
    expect(createAdapter().discovery?.values).toEqual(["namespace"]);
  });

  test("an adapter without a discovery has none", () => {
    expect(defineTested().tested.createAdapter().discovery).toBeUndefined();
  });
});

function notUsed(): never {
  throw new Error("this test opens nothing");
}
