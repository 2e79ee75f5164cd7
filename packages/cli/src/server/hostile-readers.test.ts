import { expect, test } from "vitest";
import { attackDaemon, toVerdict } from "../../test/attacked-daemon.ts";

// R7.5 R7.6. The full forms, with figures, are in hostile-readers.long.test.ts.
test("clients that misuse the endpoints in every way at the same time do not affect a daemon and its followers", async () => {
  const options = { members: 1_000, heapMb: 128, changes: 2, followers: 2 };
  const result = await attackDaemon({
    ...options,
    attack: (clients) =>
      clients.stalled(20).slow(5).pipelining(5, "/topology").pipelining(1, "/metrics").flooding(5).idle(10),
  });
  expect(toVerdict(result, options)).toEqual([]);
  expect(result.disconnected["pipelining"]).toBeGreaterThan(0);
});
