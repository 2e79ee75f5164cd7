import { VirtualClock } from "@holdfast/testing";
import { ProvisioningError, untilAborted, type ClusterProvider, type ErrorCode } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { expect, test } from "vitest";
import { toHealthPolicy } from "./health-policy.ts";
import { ProviderStream } from "./provider-stream.ts";

const BACKOFF_MS = 20_000;

/** A provider whose watches fail with `code`, and whose credentials are renewed when `renewal` resolves. */
function createRefused(code: ErrorCode) {
  const inner = new MemoryProvider({ id: "refused", clock: new VirtualClock() });
  const renewal = Promise.withResolvers<void>();
  let watches = 0;
  const provider: ClusterProvider = {
    descriptor: inner.descriptor,
    capabilities: inner.capabilities,
    probe: () => Promise.resolve(),
    // oxlint-disable-next-line require-yield -- it throws instead of yielding
    async *watch() {
      watches++;
      throw new ProvisioningError(code, "refused");
    },
    untilRenewed: ({ signal }) => untilAborted(renewal.promise, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { provider, watches: () => watches, renewal };
}

function begin(provider: ClusterProvider, clock: VirtualClock): ProviderStream {
  return new ProviderStream({
    provider,
    policy: toHealthPolicy({ backoffInitialMs: BACKOFF_MS, backoffMaxMs: BACKOFF_MS }),
    clock,
    random: () => 0.9,
    onSignal: () => undefined,
  });
}

// H3: a rotated token is noticed during the backoff, not after it.
test.each([
  "CONNECTIVITY_UNKNOWN_TOKEN",
  "CONNECTIVITY_UNAUTHORIZED",
  "CONNECTIVITY_SECRET_UNAVAILABLE",
] as const)("after %s the watch starts again as soon as the credentials are renewed", async (code) => {
  const clock = new VirtualClock();
  const { provider, watches, renewal } = createRefused(code);
  const stream = begin(provider, clock);
  await clock.advance(1_500);
  expect(watches()).toBe(1);
  renewal.resolve();
  await clock.advance(10);
  expect(watches()).toBe(2);
  // `untilRenewed` still resolves at once; that must not cause one attempt after the other.
  await clock.advance(900);
  expect(watches()).toBe(2);
  await stream[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test("waits for the whole backoff after another failure, or when the wait for credentials fails", async () => {
  const clock = new VirtualClock();
  const other = createRefused("CONNECTIVITY_REFUSED");
  const failing = createRefused("CONNECTIVITY_UNAUTHORIZED");
  const streams = [begin(other.provider, clock), begin(failing.provider, clock)];
  await clock.advance(1_000);
  other.renewal.resolve();
  failing.renewal.reject(new Error("the file cannot be read"));
  await clock.advance(1_000);
  expect([other.watches(), failing.watches()]).toEqual([1, 1]);
  await clock.advance(BACKOFF_MS);
  expect([other.watches(), failing.watches()]).toEqual([2, 2]);
  for (const stream of streams) await stream[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});
