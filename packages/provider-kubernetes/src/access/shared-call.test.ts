import { expect, test } from "vitest";
import { SharedCall } from "./shared-call.ts";

/** A call whose executions end when the test resolves them. */
function setUp() {
  const executions: { readonly signal: AbortSignal; readonly end: PromiseWithResolvers<number> }[] = [];
  const call = new SharedCall((signal) => {
    const end = Promise.withResolvers<number>();
    executions.push({ signal, end });
    signal.addEventListener("abort", () => end.reject(signal.reason), { once: true });
    return end.promise;
  });
  return { executions, call };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

const { signal } = new AbortController();

test("callers of the same time share one execution, and those that come during it share the next one", async () => {
  const { executions, call } = setUp();
  const first = [call.run(signal), call.run(signal)];
  await settled();
  expect(executions).toHaveLength(1);
  const second = [call.run(signal), call.run(signal)];
  await settled();
  expect(executions).toHaveLength(1);
  executions[0]!.end.resolve(1);
  expect(await Promise.all(first)).toEqual([1, 1]);
  await settled();
  expect(executions).toHaveLength(2);
  executions[1]!.end.resolve(2);
  expect(await Promise.all(second)).toEqual([2, 2]);
});

test("an error is that of all callers of the execution, and the next one begins", async () => {
  const { executions, call } = setUp();
  const first = [call.run(signal), call.run(signal)].map((each) => each.catch((error: unknown) => error));
  await settled();
  const second = call.run(signal);
  const error = new Error("no");
  executions[0]!.end.reject(error);
  expect(await Promise.all(first)).toEqual([error, error]);
  await settled();
  executions[1]!.end.resolve(2);
  expect(await second).toBe(2);
});

test("an execution is aborted when all of its callers have aborted", async () => {
  const { executions, call } = setUp();
  const stops = [new AbortController(), new AbortController()];
  const runs = stops.map((stop) => call.run(stop.signal));
  await settled();
  stops[0]!.abort();
  await expect(runs[0]).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  expect(executions[0]!.signal.aborted).toBe(false);
  stops[1]!.abort();
  await expect(runs[1]).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  expect(executions[0]!.signal.aborted).toBe(true);
});

test("an execution that all callers left before it began does not begin, and a later caller gets one", async () => {
  const { executions, call } = setUp();
  const running = call.run(signal);
  await settled();
  const stop = new AbortController();
  const left = call.run(stop.signal);
  stop.abort();
  await expect(left).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  const later = call.run(signal);
  executions[0]!.end.resolve(1);
  expect(await running).toBe(1);
  await settled();
  expect(executions).toHaveLength(2);
  executions[1]!.end.resolve(2);
  expect(await later).toBe(2);
});

test("a caller that has already aborted starts nothing", async () => {
  const { executions, call } = setUp();
  await expect(call.run(AbortSignal.abort())).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  await settled();
  expect(executions).toEqual([]);
});
