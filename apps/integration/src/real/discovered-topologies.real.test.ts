import { TemporaryFolder } from "@holdfast-apps/test-support";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  DaemonLife,
  eventually,
  openConsul,
  openKubernetes,
  uniqueName,
  type OpenConsul,
  type OpenKubernetes,
} from "@holdfast-apps/lab";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });

async function namesOf(daemon: DaemonLife): Promise<readonly string[]> {
  const response = await fetch(`${await daemon.url()}/topologies`);
  const { topologies } = (await response.json()) as { topologies: { name: string }[] };
  return topologies.map(({ name }) => name);
}

async function shows(daemon: DaemonLife, name: string, ...ids: readonly string[]): Promise<void> {
  await eventually(async () => {
    const document = await daemon.topology(name);
    expect(document).toMatchObject({ status: "ready" });
    expect(document.members.map(({ id }) => id)).toEqual(ids);
  });
}

// R7.2
describeReal(
  "a daemon that discovers the services of Consul and Kubernetes",
  ["consul", "kubernetes"],
  () => {
    let consul: OpenConsul;
    let kubernetes: OpenKubernetes;
    let folder: TemporaryFolder;
    /** The tag in Consul and the label in Kubernetes. */
    let mark: string;

    beforeEach(async () => {
      [consul, kubernetes] = await Promise.all([openConsul(), openKubernetes()]);
      folder = new TemporaryFolder();
      mark = uniqueName();
    });
    afterEach(async () => {
      await Promise.all([consul[Symbol.asyncDispose](), kubernetes[Symbol.asyncDispose]()]);
      folder[Symbol.dispose]();
    });

    function writeConfiguration(): string {
      return folder.write("holdfast.json", {
        backends: {
          consul: { kind: "consul", ...consul.params(consul.address) },
          cluster: { kind: "kubernetes", ...kubernetes.params(kubernetes.address) },
        },
        discover: [
          {
            from: [
              { backend: "consul", tag: mark },
              { backend: "cluster", selector: `holdfast=${mark}` },
            ],
            providers: [
              { backend: "consul", service: "{service}" },
              { backend: "cluster", service: "{service}" },
            ],
            removeAfterMs: 1_000,
            massRemoval: false,
          },
        ],
        health: { timeoutMs: 6_000 },
      });
    }

    const services = () => `/api/v1/namespaces/${kubernetes.namespace}/services`;

    async function register(name: string, ...ids: readonly string[]): Promise<void> {
      const nodes = ids.map(node);
      await consul.catalog.publish(
        name,
        nodes.map((each) => ({ ...each, tags: [mark] })),
      );
      await kubernetes.api.publish(name, nodes, kubernetes.namespace);
      await kubernetes.api.call("POST", services(), {
        metadata: { name, labels: { holdfast: mark } },
        spec: { clusterIP: "None", ports: [{ port: 80 }] },
      });
    }

    async function withdraw(name: string): Promise<void> {
      await kubernetes.api.call("DELETE", `${services()}/${name}`);
      await kubernetes.api.publish(name, [], kubernetes.namespace);
    }

    test("a service becomes a topology, which stays as long as one of the backends lists it", async () => {
      const [orders, billing] = [`${mark}-orders`, `${mark}-billing`];
      await register(orders, "o1", "o2");
      await using daemon = new DaemonLife(writeConfiguration());
      await shows(daemon, orders, "o1", "o2");
      await register(billing, "b1");
      await shows(daemon, billing, "b1");
      expect(await namesOf(daemon)).toEqual([billing, orders]);

      // Consul still lists it.
      await withdraw(billing);
      await shows(daemon, billing, "b1");
      await consul.catalog.publish(billing, []);
      await eventually(async () => expect(await namesOf(daemon)).toEqual([orders]));
      expect(await daemon.stop()).toEqual({ code: 0, err: "" });
      expect(daemon.lines.filter(({ kind }) => kind === "disappeared")).toMatchObject([
        { topology: billing },
      ]);
    });
  },
);
