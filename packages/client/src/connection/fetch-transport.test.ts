import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { fetchTransport } from "./fetch-transport.ts";

const open: (() => void)[] = [];
afterEach(() => open.splice(0).forEach((close) => close()));

async function listen(respond: RequestListener): Promise<string> {
  const server = createServer(respond);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const { signal } = new AbortController();
const headers = { authorization: "Bearer secret-token" };

// R7.4
describe("fetchTransport", () => {
  test("gives status, headers and the body as it arrives", async () => {
    const url = await listen((request, response) => {
      response.writeHead(201, { "x-test": request.headers.authorization });
      response.write("one");
    });
    const response = await fetchTransport({ url, headers, signal });
    expect([response.status, response.header("X-Test")]).toEqual([201, "Bearer secret-token"]);
    for await (const part of response.body) {
      expect(new TextDecoder().decode(part)).toBe("one");
      break;
    }
  });

  test("a refused connection and a redirect are errors with a code, which quote no header", async () => {
    const redirecting = await listen(
      (_, response) => void response.writeHead(307, { location: "http://127.0.0.1:1/" }).end(),
    );
    for (const url of ["http://127.0.0.1:1", redirecting]) {
      const failing = fetchTransport({ url, headers, signal });
      await expect(failing).rejects.toMatchObject({
        code: "CONNECTIVITY_REFUSED",
        details: { address: url },
      });
      await expect(failing).rejects.not.toThrow(/secret-token/);
    }
  });

  test("a body that breaks off is an error", async () => {
    const url = await listen((_, response) => {
      response.write("one", () => response.destroy());
    });
    const { body } = await fetchTransport({ url, headers, signal });
    const read = async () => {
      for await (const _ of body);
    };
    await expect(read()).rejects.toMatchObject({ code: "STREAM_FAILED" });
  });

  test("rejects with the reason of the signal, before and during the body", async () => {
    const url = await listen((_, response) => void response.write("one"));
    const stop = new AbortController();
    const { body } = await fetchTransport({ url, headers, signal: stop.signal });
    const reading = (async () => {
      for await (const _ of body) stop.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await expect(fetchTransport({ url, headers, signal: stop.signal })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
  });
});
