import type { Socket } from "node:net";
import type { ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../../test/create-test-provider.ts";
import { FakeApiServer, pods } from "../../test/fake-api-server.ts";
import { failureOf, waitForMembers, time, watch } from "../../test/watched.ts";

let fake: FakeApiServer;
let provider: ClusterProvider;

beforeEach(async () => {
  fake = await FakeApiServer.listen();
  fake.put(pods("s", "a"));
  provider = createTestProvider({ params: { server: fake.address } });
});
afterEach(async () => {
  await provider[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

/**
 * A server that closes a connection instead of responding to its request with this number, for a given number of times.
 */
function closeAtUse(use: number, times: number): void {
  const uses = new Map<Socket, number>();
  let left = times;
  fake.handler = ({ socket }, _, next) => {
    const count = (uses.get(socket) ?? 0) + 1;
    uses.set(socket, count);
    if (count < use || left-- <= 0) next();
    else socket.destroy();
  };
}

async function isOpen(): Promise<void> {
  while (fake.watches === 0) await time.advance(5);
}

// E4
describe("a connection that the server closes at the moment it is used again", () => {
  test("leads to one more request on a new connection, without an interruption of a watch", async () => {
    closeAtUse(2, 1);
    const recording = watch(provider);
    await waitForMembers(recording, "a");
    await isOpen();
    expect(fake.accepted).toBe(2);
    fake.put(pods("s", "a", "b"));
    await waitForMembers(recording, "a", "b");
    recording.abort();
  });

  test("is replaced only once; then there is an error with address and version", async () => {
    closeAtUse(2, 1);
    const recording = watch(provider);
    await isOpen();
    const before = fake.requests.length;
    fake.handler = ({ socket }) => void socket.destroy();
    fake.endWatches();
    const failure = await failureOf(recording);
    expect(failure).toMatchObject({ code: "STREAM_FAILED", details: { server: fake.address } });
    expect(fake.requests).toHaveLength(before + 2);
  });
});

test("a request on a new connection that the server closes is not repeated", async () => {
  closeAtUse(1, 1);
  expect(await failureOf(watch(provider))).toMatchObject({ code: "STREAM_FAILED" });
  expect(fake.requests).toHaveLength(1);
});
