import { registrarConformance, type RegistrarSetup } from "@holdfast/conformance";
import type { ClusterNodeInput } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { RealIoTime, TemporaryFolder } from "@holdfast-apps/test-support";
import { describe, test } from "vitest";
import { FakeApiServer } from "../test/fake-api-server.ts";
import type { KubernetesRegistrarParams } from "./kubernetes-registrar-params.ts";
import { createKubernetesRegistrar } from "./kubernetes-registrar.ts";

const labels = { "example.com/announced": "orders" };
const readinessGate = "example.com/announced";
/** Both are limits of Kubernetes: a pod is one process, and the kubelet judges whether it lives. */
const lacks = ["detectOwner", "expire"] as const;

// R8.4
describe.each<[string, KubernetesRegistrarParams]>([
  ["labels", { labels }],
  ["a readiness gate", { readinessGate }],
  ["both", { labels, readinessGate }],
])("with %s", (_, marks) => {
  registrarConformance({ describe, test, harness: { setup: () => setUp(marks), lacks } });
});

async function setUp(marks: KubernetesRegistrarParams): Promise<RegistrarSetup> {
  const clock = new VirtualClock();
  const server = await FakeApiServer.listen();
  const folder = new TemporaryFolder();
  const token = { file: folder.write("token", "t") };
  /** The last process of each pod. */
  const opened = new Map<string, ClusterNodeInput>();
  const isMarked = (name: string): boolean => {
    const { metadata, status } = server.pods.get(name)!;
    const hasLabels = marks.labels === undefined || metadata.labels["example.com/announced"] === "orders";
    const condition = status.conditions.find(({ type }) => type === readinessGate)?.status;
    return hasLabels && (marks.readinessGate === undefined || condition === "True");
  };
  return {
    registrar: {
      kind: "kubernetes",
      open(self, context) {
        opened.set(self.id, self);
        if (!server.pods.has(self.id)) server.createPod(self.id);
        const params = { ...marks, server: server.address, podName: self.id, namespace: "shop", token };
        return createKubernetesRegistrar(params, { env: {}, accountFolder: folder.path }).open(self, context);
      },
    },
    clock,
    time: new RealIoTime(clock),
    list: () => [...opened.values()].filter(({ id }) => isMarked(id)),
    loseData() {
      for (const name of server.pods.keys()) server.createPod(name);
    },
    breakBackend: () => void (server.respond = (response) => response.writeHead(503).end()),
    hangBackend: () => void (server.respond = () => undefined),
    repairBackend: () => void (server.respond = undefined),
    countOpen: () => server.openSockets + clock.pendingTimers,
    async teardown() {
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
