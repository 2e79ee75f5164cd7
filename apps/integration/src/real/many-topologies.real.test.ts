import { TemporaryFolder } from "@holdfast-apps/test-support";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  type Backend,
  DaemonLife,
  eventually,
  HttpGateway,
  openBackend,
  uniqueName,
} from "@holdfast-apps/lab";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const nodes = (...ids: readonly string[]) => ids.map(node);

async function shows(daemon: DaemonLife, name: string, providerId: string, ...ids: readonly string[]) {
  await eventually(async () => {
    const document = await daemon.topology(name);
    expect(document).toMatchObject({ status: "ready", providerId });
    expect(document.members.map(({ id }) => id)).toEqual(ids);
  });
}

// R7.1
describeReal("a daemon with several topologies over Consul and Kubernetes", ["consul", "kubernetes"], () => {
  let consul: Backend;
  let kubernetes: Backend;
  let gateways: { readonly consul: HttpGateway; readonly kubernetes: HttpGateway };
  let names: { readonly orders: string; readonly billing: string; readonly search: string };
  let folder: TemporaryFolder;

  beforeEach(async () => {
    [consul, kubernetes] = await Promise.all([openBackend("consul"), openBackend("kubernetes")]);
    gateways = {
      consul: await HttpGateway.listen(consul.target),
      kubernetes: await HttpGateway.listen(kubernetes.target),
    };
    names = { orders: uniqueName(), billing: uniqueName(), search: uniqueName() };
    folder = new TemporaryFolder();
  });
  afterEach(async () => {
    for (const service of Object.values(names)) {
      await consul.publish(service, []);
      await kubernetes.publish(service, []);
    }
    await Promise.all(
      [...Object.values(gateways), consul, kubernetes].map((each) => each[Symbol.asyncDispose]()),
    );
    folder[Symbol.dispose]();
  });

  function writeConfiguration(): string {
    const { service: _consul, ...shared } = consul.params(gateways.consul.address, "");
    const { service: _kubernetes, ...cluster } = kubernetes.params(gateways.kubernetes.address, "");
    return folder.write("holdfast.json", {
      backends: {
        consul: { kind: "consul", ...shared },
        cluster: { kind: "kubernetes", ...cluster },
      },
      health: { timeoutMs: 6_000, maxErrors: 1, cooldownMs: 1_000, backoffInitialMs: 200, backoffMaxMs: 500 },
      topologies: {
        orders: {
          providers: [
            { backend: "consul", service: names.orders },
            { backend: "cluster", service: names.orders },
          ],
        },
        billing: {
          providers: [
            { backend: "cluster", service: names.billing },
            { backend: "consul", service: names.billing },
          ],
        },
        search: { providers: [{ backend: "cluster", service: names.search }] },
      },
    });
  }

  test("each shows its service, and a backend that hangs changes only the topologies that use it", async () => {
    for (const backend of [consul, kubernetes]) {
      await backend.publish(names.orders, nodes("o1", "o2"));
      await backend.publish(names.billing, nodes("b1"));
    }
    await kubernetes.publish(names.search, nodes("s1"));
    await using daemon = new DaemonLife(writeConfiguration());
    await shows(daemon, "orders", "consul", "o1", "o2");
    await shows(daemon, "billing", "cluster", "b1");
    await shows(daemon, "search", "cluster", "s1");
    await consul.publish(names.orders, nodes("o1", "o2", "o3"));
    await kubernetes.publish(names.orders, nodes("o1", "o2", "o3"));
    await shows(daemon, "orders", "consul", "o1", "o2", "o3");

    const eventsOf = (name: string) => daemon.lines.filter(({ topology }) => topology === name).length;
    const before = eventsOf("search");
    gateways.consul.fail({ kind: "silence" });
    await shows(daemon, "orders", "cluster", "o1", "o2", "o3");
    await kubernetes.publish(names.billing, nodes("b1", "b2"));
    await shows(daemon, "billing", "cluster", "b1", "b2");
    expect(eventsOf("search")).toBe(before);

    gateways.consul.pass();
    await shows(daemon, "orders", "consul", "o1", "o2", "o3");
    expect(await daemon.stop()).toEqual({ code: 0, err: "" });
    await eventually(() => expect(gateways.consul.connections + gateways.kubernetes.connections).toBe(0));
  });
});
