import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { RawClient } from "../../../test/raw-client.ts";
import { RequestTurns } from "./request-turns.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

// R7.6
test("limits the waiting requests of all sockets together, and counts those no more that were handled or whose socket is gone", async () => {
  const handled: ServerResponse[] = [];
  const turns = new RequestTurns({
    maxWaiting: 4,
    maxWaitingInAll: 6,
    onRequest: (_, outgoing) => void handled.push(outgoing),
  });
  const server = createServer((incoming, outgoing) => turns.add(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using one = await RawClient.connect(url);
  await using two = await RawClient.connect(url);
  one.send(GET.repeat(5));
  two.send(GET.repeat(3));
  await vi.waitFor(() => expect(handled).toHaveLength(2));
  // Six requests wait. Another one closes its connection, and the four of the first one are no longer counted.
  await using three = await RawClient.connect(url);
  three.send(GET.repeat(2));
  await three.closed();
  expect(handled).toHaveLength(3);
  one.socket.destroy();
  await one.closed();
  await using four = await RawClient.connect(url);
  await vi.waitFor(() => expect(handled.slice(0, 1).every(({ destroyed }) => destroyed)).toBe(true));
  four.send(GET.repeat(5));
  await vi.waitFor(() => expect(handled).toHaveLength(4));
  handled[1]!.end("a");
  handled[3]!.end("b");
  await vi.waitFor(() => expect(handled).toHaveLength(6));
  expect([two.socket.destroyed, four.socket.destroyed]).toEqual([false, false]);
  server.closeAllConnections();
  server.close();
  await Promise.all([two.closed(), four.closed()]);
});
