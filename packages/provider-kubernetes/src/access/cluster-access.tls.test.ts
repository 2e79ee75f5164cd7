import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ClusterProvider } from "@holdfast/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestProvider } from "../../test/create-test-provider.ts";
import { FakeApiServer } from "../../test/fake-api-server.ts";
import { createSelfSigned, hasOpenssl, type SelfSigned, TemporaryFolder } from "@holdfast-apps/test-support";
import { allTextOf, findSecret } from "@holdfast/testing";
import { FakeSocksProxy } from "../../test/fake-socks-proxy.ts";
import { waitForHeartbeats, probe, waitForMembers, watch } from "../../test/watched.ts";

const ENV = "HOLDFAST_TEST_TLS_KUBECONFIG";
const open: AsyncDisposable[] = [];
let folder: TemporaryFolder;
let server: SelfSigned;
let clients: readonly [SelfSigned, SelfSigned];
let fake: FakeApiServer;
/** The names in the client certificates, for each request. */
let seen: unknown[];

beforeAll(() => {
  folder = new TemporaryFolder();
  server = createSelfSigned(folder, "kubernetes.default.svc");
  clients = [createSelfSigned(folder, "one"), createSelfSigned(folder, "two")];
});

beforeEach(async () => {
  const { cert, key } = server;
  fake = await FakeApiServer.listen({
    cert,
    key,
    requestCert: true,
    ca: clients.map((client) => client.cert),
  });
  fake.secondMs = 60;
  open.push(fake);
  fake.publish([{ id: "a", host: "10.0.0.1", port: 80 }]);
  seen = [];
  fake.handler = ({ socket }, _, next) => {
    if (socket instanceof TLSSocket) seen.push(socket.getPeerCertificate().subject.CN);
    next();
  };
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

afterAll(() => folder[Symbol.dispose]());

function provide(params: Readonly<Record<string, unknown>>): ClusterProvider {
  const provider = createTestProvider({ params, heartbeatMs: 1_000 });
  open.push(provider);
  return provider;
}

function toServer(params: Readonly<Record<string, unknown>>): ClusterProvider {
  return provide({ server: fake.address, ...params });
}

const asClient = ({ certFile, keyFile }: SelfSigned): object => ({ certFile, keyFile });
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function byKubeconfig(cluster: object, user: object): ClusterProvider {
  const text = JSON.stringify({
    "current-context": "x",
    clusters: [{ name: "c", cluster: { server: fake.address, ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  });
  vi.stubEnv(ENV, text);
  return provide({ kubeconfig: { env: ENV } });
}

describe.skipIf(!hasOpenssl())("TLS (needs openssl)", () => {
  // R1.4: certificate errors have a separate code.
  test("trusts the configured authority, for the name of the server or another configured name", async () => {
    const params = { caFile: server.certFile, ...asClient(clients[0]) };
    expect(await probe(toServer(params))).toBeUndefined();
    expect(await probe(toServer({ ...params, serverName: "kubernetes.default.svc" }))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(["one"]));
  });

  test.each<[string, () => object]>([
    ["an untrusted authority", () => ({})],
    ["another authority", () => ({ caFile: clients[0].certFile })],
    ["another name in the certificate", () => ({ caFile: server.certFile, serverName: "somebody.else" })],
    ["a certificate file that is missing", () => ({ caFile: folder.at("missing.pem") })],
    [
      "a certificate file without a certificate",
      () => ({ caFile: server.certFile, certFile: junk(), keyFile: junk() }),
    ],
    [
      "a key that does not match the certificate",
      () => ({
        caFile: server.certFile,
        certFile: clients[0].certFile,
        keyFile: clients[1].keyFile,
      }),
    ],
  ])("with %s fails with CONNECTIVITY_TLS", async (_, toParams) => {
    expect(await probe(toServer({ ...toParams() }))).toMatchObject({ code: "CONNECTIVITY_TLS" });
    expect(seen).toEqual([]);
  });

  test("fails with CONNECTIVITY_TLS when the server does not use TLS", async () => {
    const plain = await FakeApiServer.listen();
    open.push(plain);
    const provider = toServer({ server: plain.address.replace("http:", "https:") });
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  test("uses certificates of a kubeconfig, as text or as files", async () => {
    const [one, two] = clients;
    const ca = { "certificate-authority-data": base64(server.cert) };
    const asText = { "client-certificate-data": base64(one.cert), "client-key-data": base64(one.key) };
    expect(await probe(byKubeconfig(ca, asText))).toBeUndefined();
    const caFile = { "certificate-authority": server.certFile, "tls-server-name": "kubernetes.default.svc" };
    const asFiles = { "client-certificate": two.certFile, "client-key": two.keyFile };
    expect(await probe(byKubeconfig(caFile, asFiles))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(["one", "two"]));
  });

  // A6
  test("uses the data of a kubeconfig instead of a file that is also configured", async () => {
    const [one, two] = clients;
    const good = { "certificate-authority": server.certFile };
    const wrong = { "certificate-authority-data": base64(two.cert) };
    const user = { "client-certificate-data": base64(one.cert), "client-key-data": base64(one.key) };
    const files = { "client-certificate": "/nowhere", "client-key": "/nowhere" };
    expect(await probe(byKubeconfig({ ...good, ...wrong }, user))).toMatchObject({
      code: "CONNECTIVITY_TLS",
    });
    expect(
      await probe(byKubeconfig({ ...good, "certificate-authority-data": base64("junk") }, user)),
    ).toMatchObject({
      code: "CONNECTIVITY_TLS",
    });
    expect(seen).toEqual([]);
    const right = { "certificate-authority": "/nowhere", "certificate-authority-data": base64(server.cert) };
    expect(await probe(byKubeconfig(right, { ...user, ...files }))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(["one"]));
  });

  test("verifies the server even if NODE_TLS_REJECT_UNAUTHORIZED disables this, and without a user", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const wrong = { "certificate-authority-data": base64(clients[0].cert) };
    expect(await probe(byKubeconfig(wrong, {}))).toMatchObject({ code: "CONNECTIVITY_TLS" });
    expect(seen).toEqual([]);
  });

  // A7
  test("passes the content of the authority's file and the extension of the cluster to a plugin", async () => {
    const apiVersion = "client.authentication.k8s.io/v1";
    const code = `
      const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const ca = Buffer.from(spec.cluster["certificate-authority-data"], "base64").toString();
      if (ca !== require("fs").readFileSync(process.argv[1], "utf8")) throw new Error();
      const status = { token: spec.cluster.config.audience };
      console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "${apiVersion}", status }));`;
    const exec = {
      apiVersion,
      command: process.execPath,
      args: ["-e", code, server.certFile],
      provideClusterInfo: true,
    };
    const extensions = [{ name: "client.authentication.k8s.io/exec", extension: { audience: "for-us" } }];
    const user = { exec, "client-certificate": clients[0].certFile, "client-key": clients[0].keyFile };
    expect(
      await probe(byKubeconfig({ "certificate-authority": server.certFile, extensions }, user)),
    ).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer for-us");
  });

  test("does not verify the server if the kubeconfig disables verification", async () => {
    const [one] = clients;
    const user = { "client-certificate": one.certFile, "client-key": one.keyFile };
    expect(await probe(byKubeconfig({ "insecure-skip-tls-verify": true }, user))).toBeUndefined();
  });

  test("uses a certificate of a credential plugin", async () => {
    const [, two] = clients;
    const apiVersion = "client.authentication.k8s.io/v1";
    const status = { clientCertificateData: two.cert, clientKeyData: two.key };
    const text = JSON.stringify({ kind: "ExecCredential", apiVersion, status });
    const args = ["-e", `console.log(${JSON.stringify(text)})`];
    const exec = { apiVersion, command: process.execPath, args };
    const ca = { "certificate-authority-data": base64(server.cert) };
    expect(await probe(byKubeconfig(ca, { exec }))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(["two"]));
  });

  test("uses a replaced certificate from the next request on, without an interruption of a watch", async () => {
    const [one, two] = clients;
    const certFile = folder.at("client.pem");
    const keyFile = folder.at("client-key.pem");
    copyFileSync(one.certFile, certFile);
    copyFileSync(one.keyFile, keyFile);
    const recording = watch(toServer({ caFile: server.certFile, certFile, keyFile }));
    await waitForMembers(recording, "a");
    await waitForHeartbeats(recording, 2);
    expect(new Set(seen)).toEqual(new Set(["one"]));
    expect(fake.accepted).toBe(1);
    // The files of a pair are replaced one after the other. In between they do not match, and the previous pair stays
    // in use.
    copyFileSync(two.keyFile, keyFile);
    await waitForHeartbeats(recording, 4);
    expect(new Set(seen)).toEqual(new Set(["one"]));
    copyFileSync(two.certFile, certFile);
    await recording.waitFor("the new certificate", () => seen.includes("two") || undefined);
    await waitForHeartbeats(recording, 4);
    expect(fake.accepted).toBe(2);
    fake.publish([{ id: "b", host: "10.0.0.1", port: 80 }]);
    await waitForMembers(recording, "b");
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });
});

/** A proxy that opens all tunnels to the fake server. */
async function startProxy(answer?: string): Promise<{ url: string; requested: IncomingMessage[] }> {
  const requested: IncomingMessage[] = [];
  const sockets = new Set<Duplex>();
  const proxy = createServer().on("connect", (request: IncomingMessage, socket: Duplex) => {
    requested.push(request);
    sockets.add(socket);
    if (answer !== undefined) return void socket.end(`HTTP/1.1 ${answer}\r\ncontent-length: 0\r\n\r\n`);
    const target = connect(Number(new URL(fake.address).port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(target).pipe(socket);
    });
    for (const each of [socket, target]) each.on("error", () => target.destroy());
    return undefined;
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  open.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void proxy.close(resolve));
    },
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, requested };
}

const ca = (): object => ({ "certificate-authority-data": base64(server.cert) });
const user = (): object => ({
  "client-certificate": clients[0].certFile,
  "client-key": clients[0].keyFile,
});

// A8
describe.skipIf(!hasOpenssl())("a proxy (needs openssl)", () => {
  test("from proxy-url is used for the cluster, with TLS to the server itself", async () => {
    const proxy = await startProxy();
    const provider = byKubeconfig({ ...ca(), "proxy-url": proxy.url }, user());
    await waitForMembers(watch(provider), "a");
    expect(proxy.requested.map(({ url }) => url)).toEqual([new URL(fake.address).host]);
    expect(new Set(seen)).toEqual(new Set(["one"]));
    await provider[Symbol.asyncDispose]();
  });

  test("from HTTPS_PROXY is used for another machine, and NO_PROXY is respected", async () => {
    const proxy = await startProxy();
    vi.stubEnv("HTTPS_PROXY", proxy.url.replace("http://", "http://me:pw@"));
    const cluster = {
      ...ca(),
      server: "https://cluster.invalid:6443",
      "tls-server-name": "kubernetes.default.svc",
    };
    expect(await probe(byKubeconfig(cluster, user()))).toBeUndefined();
    expect(proxy.requested[0]).toMatchObject({
      url: "cluster.invalid:6443",
      headers: { "proxy-authorization": `Basic ${base64("me:pw")}` },
    });
    expect(new Set(seen)).toEqual(new Set(["one"]));
    const tunnels = proxy.requested.length;
    vi.stubEnv("NO_PROXY", "invalid");
    expect(await probe(byKubeconfig(cluster, user()))).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    // No proxy is used for this machine.
    expect(await probe(byKubeconfig(ca(), user()))).toBeUndefined();
    expect(proxy.requested).toHaveLength(tunnels);
  });

  test.each([
    ["407 Proxy Authentication Required", "CONNECTIVITY_UNAUTHORIZED", 407],
    ["403 Forbidden", "CONNECTIVITY_UNAUTHORIZED", 403],
    ["502 Bad Gateway", "CONNECTIVITY_REFUSED", 502],
  ])("that responds with %s is reported as such", async (answer, code, proxyStatus) => {
    const proxy = await startProxy(answer);
    const proxyUrl = proxy.url.replace("http://", "http://me:hunter2@");
    const error = await probe(byKubeconfig({ ...ca(), "proxy-url": proxyUrl }, user()));
    const host = new URL(proxy.url).host;
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(`the proxy ${host} responded with status ${proxyStatus}`),
      details: { proxy: host, proxyStatus },
    });
    expect(findSecret(allTextOf(error), "hunter2")).toEqual([]);
    expect(seen).toEqual([]);
  });

  test("that requires credentials for a request without TLS is reported as such", async () => {
    const proxy = createServer((_, response) => response.writeHead(407).end());
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = proxy.address() as AddressInfo;
    const cluster = { server: "http://cluster.invalid", "proxy-url": `http://127.0.0.1:${port}` };
    expect(await probe(byKubeconfig(cluster, {}))).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { proxyStatus: 407 },
    });
    proxy.closeAllConnections();
    proxy.close();
  });

  test("with socks5 is used for the cluster, and resolves the name", async () => {
    const targetPort = Number(new URL(fake.address).port);
    const proxy = await FakeSocksProxy.listen({ targetPort, password: "hunter2" });
    open.push(proxy);
    const cluster = {
      ...ca(),
      server: "https://cluster.invalid:6443",
      "tls-server-name": "kubernetes.default.svc",
    };
    const through = (password: string, more: object = {}) =>
      byKubeconfig(
        { ...cluster, "proxy-url": `socks5://me:${password}@127.0.0.1:${proxy.port}`, ...more },
        user(),
      );
    await waitForMembers(watch(through("hunter2")), "a");
    expect(new Set(proxy.requested)).toEqual(new Set(["cluster.invalid:6443"]));
    expect(new Set(seen)).toEqual(new Set(["one"]));
    const wrongCa = { "certificate-authority-data": base64(clients[1].cert) };
    expect(await probe(through("hunter2", wrongCa))).toMatchObject({ code: "CONNECTIVITY_TLS" });
    const error = await probe(through("hunter3"));
    expect(error).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      message: expect.stringContaining("proxy-url"),
      details: { server: cluster.server, proxy: `127.0.0.1:${proxy.port}` },
    });
    expect(findSecret(allTextOf(error), "hunter3")).toEqual([]);
  });

  test.each(["socks5://127.0.0.1:1", "http://127.0.0.1:1"])(
    "at %s that does not exist is named in the error",
    async (url) => {
      expect(await probe(byKubeconfig({ ...ca(), "proxy-url": url }, {}))).toMatchObject({
        code: "CONNECTIVITY_REFUSED",
        message: expect.stringContaining("proxy-url"),
        details: { proxy: "127.0.0.1:1" },
      });
    },
  );

  test.each(["ftp://127.0.0.1", "127.0.0.1:3128", "http://"])(
    "of another kind (%s) is rejected",
    async (url) => {
      expect(await probe(byKubeconfig({ "proxy-url": url }, {}))).toMatchObject({
        code: "CONNECTIVITY_REFUSED",
        message: expect.stringContaining("proxy-url"),
      });
    },
  );
});

function junk(): string {
  const file = folder.at("junk.pem");
  writeFileSync(file, "no certificate");
  return file;
}
