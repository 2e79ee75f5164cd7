import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { root } from "@holdfast-apps/lab/packed-packages";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  eventually,
  type GatewayResponse,
  HttpGateway,
  KubernetesServer,
  READER_TOKEN,
  uniqueName,
} from "@holdfast-apps/lab";
import { createRealProvider, failureOf, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });

/** 410 Gone, as the status of a response or as an ERROR event of a watch. */
const isGone = ({ status, body }: GatewayResponse) => status === 410 || body.includes(`"code":410`);

const isWatch = ({ url }: GatewayResponse) => url.includes("watch=1");

describeReal("a Kubernetes API server", ["kube-api program"], () => {
  let server: KubernetesServer;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await KubernetesServer.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  function provide(service: string, params: Readonly<Record<string, unknown>> = {}) {
    const all = { ...server.params(), namespace: "default", service, ...params };
    const provider = createRealProvider("kubernetes", all);
    open.push(provider);
    return provider;
  }

  test("is watched again after it was killed and started again, and no change is missed", async () => {
    // R5.6
    const service = uniqueName();
    await server.api.publish(service, [node("a")]);
    const provider = provide(service);
    const before = watch(provider);
    await shows(before, "a");
    await server.apiServer.kill();
    expect((await failureOf(before)).code).toMatch(/^(STREAM_FAILED|CONNECTIVITY_REFUSED)$/);
    expect(before.snapshots).toHaveLength(1);
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    await server.apiServer.start();
    await server.api.publish(service, [node("a"), node("b")]);
    const after = watch(provider);
    await shows(after, "a", "b");
    await server.api.publish(service, [node("b")]);
    await shows(after, "b");
    after.abort();
  });

  test.each([
    ["with a change", true],
    ["without a change", false],
  ])(
    "is restarted %s: the next watch continues from the last version and does not list again",
    async (_, isChanged) => {
      const service = uniqueName();
      await server.api.publish(service, [node("a")]);
      await using gateway = await HttpGateway.listen(server.api.access);
      const provider = createRealProvider("kubernetes", {
        server: gateway.address,
        namespace: "default",
        service,
      });
      open.push(provider);
      const before = watch(provider);
      await shows(before, "a");
      // Wait until the watch is open on both sides, so that the restart breaks it.
      await eventually(() => expect(gateway.responses.some(isWatch)).toBe(true));
      await server.apiServer.restart();
      await failureOf(before);
      if (isChanged) await server.api.publish(service, [node("a"), node("b")]);
      gateway.responses.length = 0;
      const after = watch(provider);
      await (isChanged ? shows(after, "a", "b") : shows(after, "a"));
      expect(after.snapshots).toHaveLength(1);
      await server.api.publish(service, [node("c")]);
      await shows(after, "c");
      // H1: a read of an object that does not exist proves that the server reads its storage. No response lists a slice.
      const reads = gateway.responses.filter((response) => !isWatch(response));
      expect(reads.length).toBeGreaterThan(0);
      expect(reads.filter(({ body }) => !body.includes('"items":[]'))).toEqual([]);
      after.abort();
    },
  );

  test("responds with 410 to an old version, and the same watch lists again and misses no change", async () => {
    // R5.6: 410 Gone of Kubernetes.
    const service = uniqueName();
    await server.api.publish(service, [node("a"), node("b")]);
    await using gateway = await HttpGateway.listen(server.api.access);
    const provider = createRealProvider(
      "kubernetes",
      { server: gateway.address, namespace: "default", service },
      // Also the maximum time that a watch request waits.
      10_000,
    );
    open.push(provider);
    const recording = watch(provider);
    await shows(recording, "a", "b");
    // The next request of the watch reaches a server that has only newer versions.
    gateway.hold();
    await eventually(() => expect(gateway.waiting).toBe(1));
    await server.api.publish(service, [node("b"), node("c")]);
    await server.api.publish(service, [node("c"), node("d")]);
    await server.compact();
    expect(gateway.responses.filter(isGone)).toEqual([]);
    gateway.release();
    await shows(recording, "c", "d");
    expect(gateway.responses.filter(isGone)).not.toEqual([]);
    await server.api.publish(service, [node("d")]);
    await shows(recording, "d");
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });

  test("needs only the permissions of the example, and a missing permission is reported", async () => {
    // R1.4
    const service = uniqueName();
    await server.api.publish(service, [node("a")]);
    process.env["HOLDFAST_TEST_READER"] = READER_TOKEN;
    const provider = provide(service, { token: { env: "HOLDFAST_TEST_READER" } });
    expect(await probe(provider)).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 403 },
    });
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    // The permissions in examples/kubernetes are sufficient.
    const { metadata, rules } = await readManifest("Role");
    await server.api.call("POST", `${rbac}/roles`, { metadata, rules });
    const binding = {
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "reader" }],
    };
    await server.api.call("POST", `${rbac}/rolebindings`, binding);
    // RBAC applies the change after a short delay.
    await eventually(async () => expect(await probe(provider)).toBeUndefined());
    const allowed = watch(provider);
    await shows(allowed, "a");
    await server.api.call("DELETE", `${rbac}/rolebindings/reader`);
    expect(await failureOf(allowed)).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    await server.api.call("POST", `${rbac}/rolebindings`, binding);
    await eventually(async () => expect(await probe(provider)).toBeUndefined());
    await shows(watch(provider), "a");
    process.env["HOLDFAST_TEST_READER"] = "unknown-token";
    expect(await probe(provider)).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 401 },
    });
  });

  test("is not trusted without the configured certificate", async () => {
    // R1.4
    expect(await probe(provide("web", { caFile: undefined }))).toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  test("sends no heartbeat while it is frozen, and continues after that", async () => {
    // R2.6 R5.6
    const service = uniqueName();
    await server.api.publish(service, [node("a")]);
    const recording = watch(provide(service));
    await shows(recording, "a");
    server.apiServer.freeze();
    try {
      await time.advance(500);
      const before = recording.events.length;
      await time.advance(2_000);
      expect(recording.events.length).toBe(before);
    } finally {
      server.apiServer.thaw();
    }
    await server.api.publish(service, [node("a"), node("b")]);
    await shows(recording, "a", "b");
    recording.abort();
  });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: readonly unknown[];
}

/** The manifest of this kind in examples/kubernetes/rbac.yaml. */
async function readManifest(kind: string): Promise<Manifest> {
  const text = await readFile(join(root, "examples", "kubernetes", "rbac.yaml"), "utf8");
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest)
    .find((manifest) => manifest.kind === kind)!;
}
