import { writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { createClusterNode, systemClock, type Reason, type Registration } from "@holdfast/core";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { FakeApiServer } from "../test/fake-api-server.ts";
import {
  createKubernetesRegistrar,
  kubernetesRegistrar,
  type KubernetesRegistrar,
} from "./kubernetes-registrar.ts";
import type { KubernetesRegistrarParams } from "./kubernetes-registrar-params.ts";

const { signal } = new AbortController();
const self = createClusterNode({ id: "orders-0", host: "10.0.0.1", port: 7_001 });
const labels = { "example.com/announced": "orders" };
const readinessGate = "example.com/announced";
const open: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed())
    await (Symbol.asyncDispose in each ? each[Symbol.asyncDispose]() : each[Symbol.dispose]());
});

interface Pod {
  readonly server: FakeApiServer;
  readonly account: TemporaryFolder;
  readonly registrar: KubernetesRegistrar;
  readonly registration: Registration;
}

/** Creates a pod with its service account, and opens a registration in it. */
async function openInPod(params: KubernetesRegistrarParams): Promise<Pod> {
  const server = await FakeApiServer.listen();
  const account = new TemporaryFolder();
  open.push(server, account);
  account.write("token", "first\n");
  account.write("namespace", "shop\n");
  server.createPod("orders-0");
  // The fake server has no TLS, so its address does not come from the variables of a pod.
  const registrar = createKubernetesRegistrar(
    { server: server.address, ...params },
    { env: { HOSTNAME: "orders-0" }, accountFolder: account.path },
  );
  const registration = registrar.open(self, { clock: systemClock });
  open.push(registration);
  return { server, account, registrar, registration };
}

// R8.4
describe("the readiness", () => {
  test("follows the calls without any request, and needs no beats", async () => {
    const registrar = kubernetesRegistrar();
    const registration = registrar.open(self, { clock: systemClock });
    const seen = () => [registrar.readiness.isReady, registrar.readiness.status, registrar.readiness.text];
    expect([registration.beatMs, registration.ttlMs]).toEqual([undefined, undefined]);
    expect(seen()).toEqual([false, 503, "starting"]);
    await registration.register({ signal });
    expect(seen()).toEqual([true, 200, "ready"]);
    await registration.beat({ signal });
    await registration.drain({ signal });
    expect(seen()).toEqual([false, 503, "draining"]);
    await registration.register({ signal });
    expect(seen()).toEqual([true, 200, "ready"]);
    await registration.leave({ signal });
    expect(seen()).toEqual([false, 503, "left"]);
    await registration[Symbol.asyncDispose]();
  });

  test("is given only once the pod has its labels", async () => {
    const { server, registrar, registration } = await openInPod({ labels });
    server.respond = (response) => response.writeHead(500).end();
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_UNAVAILABLE",
    });
    expect(registrar.readiness.text).toBe("starting");
  });

  test("is withdrawn by a drain and by leaving although the API server is down", async () => {
    const { server, registrar, registration } = await openInPod({ labels });
    await registration.register({ signal });
    server.respond = (response) => response.writeHead(500).end();
    await expect(registration.drain({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_UNAVAILABLE" });
    expect(registrar.readiness.text).toBe("draining");
    await expect(registration.leave({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_UNAVAILABLE" });
    expect(registrar.readiness.text).toBe("left");
  });
});

// R8.4
describe("the marks of the pod", () => {
  test("are set and removed with the smallest patches, and other labels stay", async () => {
    const { server, registration } = await openInPod({ labels, readinessGate });
    await registration.register({ signal });
    expect(server.pods.get("orders-0")).toMatchObject({
      metadata: { labels: { app: "orders", ...labels } },
      status: {
        conditions: [{ type: readinessGate, status: "True", lastTransitionTime: expect.any(String) }],
      },
    });
    await registration.drain({ signal });
    expect(server.pods.get("orders-0")?.metadata.labels).toEqual({ app: "orders" });
    expect(server.pods.get("orders-0")?.status.conditions).toMatchObject([{ status: "False" }]);
    const path = "/api/v1/namespaces/shop/pods/orders-0";
    const merge = ["PATCH", path, "application/merge-patch+json"];
    const status = ["PATCH", `${path}/status`, "application/strategic-merge-patch+json"];
    expect(server.requests.map((each) => [each.method, each.path, each.contentType])).toEqual([
      merge,
      status,
      merge,
      status,
    ]);
  });

  test.each([
    [
      "a label was removed",
      (server: FakeApiServer) =>
        void delete server.pods.get("orders-0")!.metadata.labels["example.com/announced"],
    ],
    [
      "a label was changed",
      (server: FakeApiServer) =>
        void (server.pods.get("orders-0")!.metadata.labels["example.com/announced"] = "x"),
    ],
    [
      "the condition was changed",
      (server: FakeApiServer) =>
        void (server.pods.get("orders-0")!.status.conditions = [{ type: readinessGate, status: "False" }]),
    ],
    [
      "the condition was removed",
      (server: FakeApiServer) => void (server.pods.get("orders-0")!.status.conditions = []),
    ],
  ])("are lost when %s, and set again", async (_, change) => {
    const { server, registration } = await openInPod({ labels, readinessGate, checkMs: 5_000 });
    expect(registration.beatMs).toBe(5_000);
    await registration.register({ signal });
    change(server);
    await expect(registration.beat({ signal })).rejects.toMatchObject({
      code: "LIFECYCLE_REGISTRATION_LOST",
    });
    await registration.register({ signal });
    await registration.beat({ signal });
  });

  test("need no removal when the pod was deleted", async () => {
    const { server, registration } = await openInPod({ labels });
    await registration.register({ signal });
    server.pods.clear();
    for (const name of ["beat", "drain"] as const)
      await expect(registration[name]({ signal })).rejects.toMatchObject({
        code: "LIFECYCLE_REGISTRATION_LOST",
      });
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      message: expect.stringContaining('pod "orders-0" in namespace "shop"'),
    });
    await registration.leave({ signal });
  });
});

function openWith(env: Readonly<Record<string, string>>): Registration {
  const registrar = createKubernetesRegistrar({ labels }, { env, accountFolder: "/nowhere" });
  return registrar.open(self, { clock: systemClock });
}

function audit(server: string): readonly Reason[] | undefined {
  const registrar = kubernetesRegistrar({ labels, server, podName: "a" });
  return registrar.open(self, { clock: systemClock }).audit?.();
}

describe("the access to the pod", () => {
  test("reads the token again for every request", async () => {
    const { server, account, registration } = await openInPod({ labels });
    await registration.register({ signal });
    writeFileSync(account.at("token"), "second");
    await registration.beat({ signal });
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([
      "Bearer first",
      "Bearer second",
    ]);
  });

  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED"],
    [403, "CONNECTIVITY_UNAUTHORIZED"],
    [404, "CONNECTIVITY_REFUSED"],
    [422, "STREAM_INVALID_DATA"],
    [429, "CONNECTIVITY_OVERLOADED"],
    [503, "CONNECTIVITY_UNAVAILABLE"],
  ])("status %i is %s, with the pod and Retry-After", async (status, code) => {
    const { server, registration } = await openInPod({ labels });
    server.respond = (response) => response.writeHead(status, { "retry-after": "3" }).end("secret");
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining("secret"),
      details: { status, pod: "orders-0", namespace: "shop", retryAfterMs: 3_000, server: server.address },
    });
  });

  test("a response that is not a pod is refused", async () => {
    const { server, registration } = await openInPod({ labels });
    for (const body of ["", "{", "5"]) {
      server.respond = (response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(body);
      await expect(registration.register({ signal })).rejects.toMatchObject({ code: "STREAM_INVALID_DATA" });
    }
    server.respond = (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    await expect(registration.register({ signal })).rejects.toMatchObject({ code: "STREAM_INVALID_DATA" });
  });

  test("a service account that cannot be read is named", async () => {
    const { account, registration } = await openInPod({ labels });
    account.write("namespace", "");
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_SECRET_UNAVAILABLE",
      details: { file: account.at("namespace") },
    });
    account.write("namespace", "shop");
    account.write("token", " ");
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_SECRET_UNAVAILABLE",
      details: { file: account.at("token") },
    });
  });

  test("uses the variables of a pod, where an empty one is unset", () => {
    const inPod = {
      KUBERNETES_SERVICE_HOST: "fd00::1",
      KUBERNETES_SERVICE_PORT: "443",
      HOSTNAME: "orders-0",
    };
    expect(openWith(inPod).audit?.()).toEqual([]);
    for (const name of Object.keys(inPod)) {
      expect(() => openWith({ ...inPod, [name]: "" })).toThrow(
        expect.objectContaining({
          code: "VALIDATION_MALFORMED",
          message: expect.stringContaining("not in a pod"),
        }),
      );
    }
    expect(() => openWith({ ...inPod, HOSTNAME: "", POD_NAME: "orders-0" })).not.toThrow();
  });

  test("a token over plain HTTP to another machine is a warning", () => {
    expect(audit("http://10.0.0.9")).toMatchObject([{ code: "CONNECTIVITY_INSECURE" }]);
    expect(audit("https://10.0.0.9")).toEqual([]);
    expect(audit("http://127.0.0.1:8080")).toEqual([]);
  });

  test("malformed parameters are refused", () => {
    for (const params of [
      { labels: { "a b": "x" } },
      { labels: { a: "x y" } },
      { readinessGate: "/a" },
      { checkMs: 499 },
      { server: "kubernetes" },
      { podName: "a/b" },
    ]) {
      expect(() => kubernetesRegistrar(params)).toThrow(
        expect.objectContaining({ code: "VALIDATION_MALFORMED" }),
      );
    }
  });
});
