import { copyFileSync } from "node:fs";
import { TLSSocket } from "node:tls";
import { createSelfSigned, hasOpenssl, type SelfSigned, TemporaryFolder } from "@holdfast-apps/test-support";
import { createRealTime, WatchRecording } from "@holdfast/conformance";
import type { ClusterProvider } from "@holdfast/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../../test/create-test-provider.ts";
import { FakeConsul } from "../../test/fake-consul.ts";

const time = createRealTime();
const { signal } = new AbortController();
const open: AsyncDisposable[] = [];
let folder: TemporaryFolder;
let server: SelfSigned;
let clients: readonly SelfSigned[];
let fake: FakeConsul;

beforeAll(() => {
  folder = new TemporaryFolder();
  server = createSelfSigned(folder, "server.dc1.consul");
  clients = ["one", "two"].map((name) => createSelfSigned(folder, name));
});

beforeEach(async () => {
  const { cert, key } = server;
  fake = await FakeConsul.listen({ cert, key, requestCert: true, ca: clients.map((client) => client.cert) });
  open.push(fake);
  fake.publish([{ id: "a", host: "10.0.0.1", port: 80 }]);
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

afterAll(() => folder[Symbol.dispose]());

function provide(tls: Readonly<Record<string, string>> | undefined, heartbeatMs = 5_000): ClusterProvider {
  const provider = createTestProvider({ params: { addresses: [fake.address], tls }, heartbeatMs });
  open.push(provider);
  return provider;
}

describe.skipIf(!hasOpenssl())("TLS (needs openssl)", () => {
  // R1.4: certificate errors have a separate code.
  test("trusts the configured authorities, for the name of the server or another configured name", async () => {
    const caFile = server.certFile;
    await provide({ caFile, certFile: clients[0]!.certFile, keyFile: clients[0]!.keyFile }).probe({ signal });
    await provide({
      caFile,
      serverName: "server.dc1.consul",
      certFile: clients[0]!.certFile,
      keyFile: clients[0]!.keyFile,
    }).probe({ signal });
  });

  test.each([
    ["an authority that is not trusted", () => undefined],
    ["another name in the certificate", () => ({ caFile: server.certFile, serverName: "server.dc2.consul" })],
    ["no client certificate", () => ({ caFile: server.certFile })],
    ["a certificate file that is missing", () => ({ caFile: folder.at("missing.pem") })],
    [
      "a key that does not match the certificate",
      () => ({ certFile: clients[0]!.certFile, keyFile: clients[1]!.keyFile }),
    ],
  ])("with %s fails with CONNECTIVITY_TLS", async (_, tls) => {
    await expect(provide(tls()).probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  test("fails with CONNECTIVITY_TLS when the server does not use TLS", async () => {
    const plain = await FakeConsul.listen();
    open.push(plain);
    const addresses = [plain.address.replace("http:", "https:")];
    const provider = createTestProvider({ params: { addresses } });
    open.push(provider);
    await expect(provider.probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  test("uses a replaced certificate from the next request on, without an interruption of a watch", async () => {
    const certFile = folder.at("client.pem");
    const keyFile = folder.at("client-key.pem");
    const install = (client: SelfSigned): void => {
      copyFileSync(client.keyFile, keyFile);
      copyFileSync(client.certFile, certFile);
    };
    install(clients[0]!);
    const seen: unknown[] = [];
    fake.handler = ({ socket }, _, next) => {
      if (socket instanceof TLSSocket) seen.push(socket.getPeerCertificate().subject.CN);
      next();
    };
    const provider = provide({ caFile: server.certFile, certFile, keyFile }, 200);
    const recording = new WatchRecording({ provider, time, patienceMs: 10_000 });
    await recording.waitFor("a heartbeat", () => recording.events.find(({ type }) => type === "heartbeat"));
    expect(new Set(seen)).toEqual(new Set(["one"]));
    install(clients[1]!);
    await recording.waitFor("the new certificate", () => seen.includes("two") || undefined);
    expect(fake.blocked).toBe(1);
    // The files of a pair are replaced one after the other. In between, they do not match.
    copyFileSync(clients[0]!.keyFile, keyFile);
    const before = seen.length;
    await recording.waitFor("requests meanwhile", () => seen.length > before + 1 || undefined);
    expect(seen.at(-1)).toBe("two");
    fake.publish([{ id: "b", host: "10.0.0.1", port: 80 }]);
    await recording.waitFor("the change", () => recording.snapshots[1]);
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
    // Connections with the old certificate are closed after some time.
    await provider[Symbol.asyncDispose]();
    await time.until(noneLeft(), 10_000);
  });

  test("verifies certificates even if the environment disables this for the whole process", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await expect(provide(undefined).probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_TLS" });
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });
});

async function noneLeft(): Promise<void> {
  while ((await fake.connections()) > 0) await time.advance(5);
}
