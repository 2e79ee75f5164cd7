import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createDeadline, ProvisioningError, sleep, systemClock } from "@holdfast/core";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ADMIN_TOKEN, eventually, KubernetesServer, READER_TOKEN, uniqueName } from "@holdfast-apps/lab";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { AnnouncingProcess } from "../registrar/announcing-process.ts";

const NAMESPACE = "default";
const labels = { "example.com/announced": "orders" };
const readinessGate = "example.com/announced";

interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

// R8.4: a real API server, without a kubelet. What the kubelet would ask is asked here.
describeReal("a pod that announces itself", ["kube-api program"], () => {
  let server: KubernetesServer;
  let folder: TemporaryFolder;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await KubernetesServer.start();
    folder = new TemporaryFolder();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    folder[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  async function createPod(): Promise<string> {
    const name = uniqueName();
    await server.api.call("POST", `/api/v1/namespaces/${NAMESPACE}/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: "orders" } },
      spec: {
        containers: [{ name: "main", image: "none" }],
        readinessGates: [{ conditionType: readinessGate }],
      },
    });
    return name;
  }

  /** What the API server has of the pod: its labels, and the status of the readiness gate. */
  async function look(
    name: string,
  ): Promise<readonly [Readonly<Record<string, string>>, string | undefined]> {
    const { metadata, status } = (await server.api.call("GET", podPath(name))) as Pod;
    return [metadata.labels, status.conditions?.find(({ type }) => type === readinessGate)?.status];
  }

  function start(podName: string, token: string = ADMIN_TOKEN, drainMs = 800): AnnouncingProcess {
    const file = folder.write(podName, token);
    const started = new AnnouncingProcess({
      kind: "kubernetes",
      params: {
        labels,
        readinessGate,
        podName,
        namespace: NAMESPACE,
        checkMs: 500,
        server: server.address,
        caFile: server.caFile,
        token: { file },
      },
      self: { id: podName, host: "127.0.0.1", port: 0 },
      options: { drainMs, maxRetryMs: 500 },
    });
    open.push(started);
    return started;
  }

  test("has its labels, its condition and its readiness, and loses them with SIGTERM", async () => {
    const name = await createPod();
    const started = start(name);
    await started.until("registered");
    expect(await look(name)).toEqual([{ app: "orders", ...labels }, "True"]);
    expect(await probe(started)).toEqual([200, "ready"]);
    started.signal("SIGTERM");
    await started.until("draining");
    expect(await probe(started)).toEqual([503, "draining"]);
    await eventually(async () => expect(await look(name)).toEqual([{ app: "orders" }, "False"]));
    expect((await started.ended()).by).toBe("SIGTERM");
    expect(started.types).toEqual(["started", "registered", "draining", "finish", "left"]);
  });

  test("answers no probe while it hangs, and again by itself", async () => {
    const name = await createPod();
    const started = start(name);
    await started.until("registered");
    started.command("block 1500");
    await sleep(100, { clock: systemClock });
    expect(await probe(started)).toBeUndefined();
    await eventually(async () => expect(await probe(started)).toEqual([200, "ready"]));
  });

  test("sets its labels and its condition again after another program changed them", async () => {
    const name = await createPod();
    const started = start(name);
    await started.until("registered");
    const pod = (await server.api.call("GET", podPath(name))) as object;
    await server.api.call("PUT", podPath(name), { ...pod, metadata: { name, labels: { app: "other" } } });
    await started.until("lost");
    await eventually(async () => expect(await look(name)).toEqual([{ app: "other", ...labels }, "True"]));
  });

  test("continues after the API server was restarted", async () => {
    const name = await createPod();
    const started = start(name);
    await started.until("registered");
    await server.apiServer.kill();
    await started.until("failed");
    expect(await probe(started)).toEqual([200, "ready"]);
    await server.apiServer.start();
    const count = started.lines.length;
    await sleep(2_000, { clock: systemClock });
    expect(started.types.slice(count)).not.toContain("lost");
    started.signal("SIGTERM");
    expect((await started.ended()).by).toBe("SIGTERM");
    expect(await look(name)).toEqual([{ app: "orders" }, "False"]);
  });

  test("needs no more than the permissions of the README, and says which are missing", async () => {
    const name = await createPod();
    const started = start(name, READER_TOKEN, 0);
    const { reason } = await started.until("failed");
    expect(reason).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED", details: { status: 403, pod: name } });
    expect(await probe(started)).toEqual([503, "starting"]);
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
    const metadata = { name: "announce" };
    const rules = [
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "patch"] },
      { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
    ];
    await server.api.call("POST", `${rbac}/roles`, { metadata, rules });
    await server.api.call("POST", `${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "announce" },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "reader" }],
    });
    await started.until("registered");
    await sleep(1_200, { clock: systemClock });
    expect(started.types).not.toContain("lost");
    // A token that is replaced by an invalid one: the beats fail, and the readiness stays.
    writeFileSync(folder.at(name), "unknown");
    await eventually(() =>
      expect(started.lines.at(-1)).toMatchObject({ type: "failed", reason: { details: { status: 401 } } }),
    );
    expect(await probe(started)).toEqual([200, "ready"]);
  });

  test("that was deleted lets its process leave", async () => {
    const name = await createPod();
    const started = start(name);
    await started.until("registered");
    await server.api.call("DELETE", podPath(name));
    await started.until("lost");
    started.signal("SIGTERM");
    expect((await started.ended()).by).toBe("SIGTERM");
    expect(started.lines.at(-1)).toMatchObject({ type: "left" });
    expect(started.lines.at(-1)).not.toHaveProperty("reason");
  });
});

function podPath(name: string): string {
  return `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;
}

/** The response to a readiness probe; undefined if the process does not respond in time. */
async function probe(started: AnnouncingProcess): Promise<readonly [number, string] | undefined> {
  const { port } = await started.until("started");
  using late = createDeadline({ clock: systemClock, afterMs: 500, error: noResponse });
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/readyz`, { signal: late.signal });
    return [response.status, await response.text()];
  } catch {
    return undefined;
  }
}

function noResponse(): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_TIMEOUT", "no response");
}
