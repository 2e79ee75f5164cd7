import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import {
  assertUnpolluted,
  cutInto,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  outcomeOf,
} from "@holdfast/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { toEntry } from "../test/fake-consul.ts";

const SECRET = "canary-7f3a9c-secret";

/** The response to every request. It is sent in parts, and then the connection is closed. */
let parts: readonly Uint8Array[] = [];
let server: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.once("data", () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

async function ask(bytes: Uint8Array, cuts: readonly number[]): Promise<void> {
  parts = cutInto(bytes, cuts);
  const { port } = server.address() as AddressInfo;
  await using provider = createTestProvider({ params: { addresses: [`http://127.0.0.1:${port}`] } });
  const stop = new AbortController();
  const { signal } = stop;
  const outcomes = [
    await outcomeOf(() => provider.probe({ signal })),
    await outcomeOf(async () => {
      for await (const event of provider.watch({ signal })) {
        if (event.type === "snapshot")
          expect(findSecret(allTextOf(event.snapshot.skipped), SECRET)).toEqual([]);
        stop.abort();
      }
    }),
  ];
  for (const outcome of outcomes)
    if ("error" in outcome) expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
  assertUnpolluted();
}

const HEADERS = {
  "content-type": "application/json",
  "x-consul-index": "17",
  "x-consul-knownleader": "true",
  "x-consul-lastcontact": "0",
};
const BODIES: readonly unknown[] = [
  [toEntry({ id: SECRET, host: "a.test", port: 80, metadata: { [SECRET]: SECRET } })],
  [],
  [{ Allow: true, Resource: SECRET }],
  { web: [SECRET], [SECRET]: [] },
  SECRET,
];

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const headerValue = fc.constantFrom(
  "0",
  "-1",
  "18446744073709551615",
  "1e400",
  "NaN",
  "",
  "true",
  "false",
  "text/html",
  `application/json; x=${SECRET}`,
  "99999999999999999999999999",
);
const headers = fc.dictionary(
  fc.constantFrom(
    ...Object.keys(HEADERS),
    "retry-after",
    "x-consul-results-filtered-by-acls",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "__proto__",
  ),
  headerValue,
  { maxKeys: 3 },
);
const cuts = fc.array(fc.nat(2_000), { maxLength: 5 });
const status = fc.constantFrom(
  200,
  200,
  200,
  200,
  204,
  301,
  400,
  401,
  403,
  404,
  429,
  500,
  503,
  599,
  101,
  999,
);

describe("any response of Consul", () => {
  test("that is valid HTTP leads to a snapshot or an error without its text", async () => {
    const answer = fc.record({
      status,
      headers,
      body: fc.constantFrom(...BODIES),
      structure: fc.array(mutation, { maxLength: 2 }),
      text: fc.array(mutation, { maxLength: 2 }),
      cuts,
    });
    await fc.assert(
      fc.asyncProperty(answer, async (given) => {
        const body = mutateBytes(
          Buffer.from(JSON.stringify(mutateJson(given.body, given.structure))),
          given.text,
        );
        const all = { ...HEADERS, "content-length": String(body.length), ...given.headers };
        const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
        const head = `HTTP/1.1 ${given.status} ${SECRET}\r\n${lines.join("\r\n")}\r\n\r\n`;
        await ask(Buffer.concat([Buffer.from(head), body]), given.cuts);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test("that is similar to HTTP leads to a snapshot or an error without its text", async () => {
    const body = JSON.stringify(BODIES[0]);
    const lines = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`);
    const head = `HTTP/1.1 200 OK\r\n${lines.join("\r\n")}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const sound = Buffer.from(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), cuts, (mutations, at) =>
        ask(mutateBytes(sound, mutations), at),
      ),
      { numRuns: fuzzRuns(60) },
    );
    for (const garbage of [SECRET, `${SECRET}\r\n\r\n`, "", "\u0000\u0000", `HTTP/1.1 200 OK\r\n${SECRET}`])
      await ask(Buffer.from(garbage), []);
  });
});
