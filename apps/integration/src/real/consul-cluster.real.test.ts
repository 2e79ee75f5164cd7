import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ConsulCluster, eventually } from "@holdfast-apps/lab";
import { systemClock } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { createSeededRandom } from "@holdfast/testing";
import { createRealProvider, failureOf, probe, shows, watch } from "./watched-real.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });

describeReal("three Consul servers with ACLs and TLS", ["consul program"], () => {
  let cluster: ConsulCluster;
  let folder: Awaited<ReturnType<typeof emptyFolder>>;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    folder = await emptyFolder();
    cluster = await ConsulCluster.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  function provide(service: string, params: Readonly<Record<string, unknown>>) {
    const provider = createRealProvider(
      "consul",
      {
        addresses: cluster.servers.map(({ address }) => address),
        service,
        nodeId: "service-id",
        tls: { caFile: cluster.caFile },
        ...params,
      },
      1_000,
    );
    open.push(provider);
    return provider;
  }

  test("an anonymous read, an unknown token and a wrong certificate each cause an error, never an empty service", async () => {
    // R1.4
    const { catalog } = await cluster.leader();
    await catalog.register("denied", node("a"));
    expect(await probe(provide("denied", {}))).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    expect(await failureOf(watch(provide("denied", {})))).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
    });
    const file = join(folder.path, "unknown");
    await writeFile(file, "00000000-1111-2222-3333-444444444444");
    expect(await probe(provide("denied", { token: { file } }))).toMatchObject({
      code: "CONNECTIVITY_UNKNOWN_TOKEN",
    });
    expect(await probe(provide("denied", { tls: {} }))).toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  // R7.2
  test("a discovery with a token that may not read all services is an error, never a list without them", async () => {
    const { catalog } = await cluster.leader();
    for (const name of ["shop-orders", "shop-cart", "other"])
      await catalog.register(name, { ...node("a"), tags: ["found"] });
    const adapter = consul.createAdapter();
    const discover = async (token: string, params: Readonly<Record<string, unknown>> = {}) => {
      const file = join(folder.path, "discovery");
      await writeFile(file, token);
      await using discovery = adapter.discovery!.create(
        adapter.discovery!.params.parse({
          addresses: cluster.servers.map(({ address }) => address),
          tls: { caFile: cluster.caFile },
          token: { file },
          tag: "found",
          ...params,
        }),
        { clock: systemClock, random: createSeededRandom(1), heartbeatMs: 1_000 },
      );
      for await (const event of discovery.services({ signal: new AbortController().signal }))
        return event.type === "services" ? event.services.map(({ name }) => name) : event;
      return undefined;
    };
    const tokenOf = async (...rules: readonly string[]) => (await cluster.createTokenWith(...rules)).secret;
    const reads = 'service_prefix "shop-" { policy = "read" }';
    const [none, shop, shopOnly, all, shopBut] = [
      await tokenOf('node_prefix "" { policy = "read" }'),
      await tokenOf(reads),
      await tokenOf('service "shop-orders" { policy = "read" }'),
      await tokenOf('service_prefix "" { policy = "read" }'),
      await tokenOf(reads, 'service "shop-cart" { policy = "deny" }'),
    ];
    const denied = { code: "CONNECTIVITY_UNAUTHORIZED", details: { tag: "found" } };
    await eventually(async () => expect(await discover(all)).toEqual(["other", "shop-cart", "shop-orders"]));
    await eventually(async () =>
      expect(await discover(shop, { prefix: "shop-" })).toEqual(["shop-cart", "shop-orders"]),
    );
    // Services that the rules name one by one are left out on purpose.
    await eventually(async () =>
      expect(await discover(shopBut, { prefix: "shop-" })).toEqual(["shop-orders"]),
    );
    for (const token of [none, shop, shopOnly])
      await eventually(() => expect(discover(token)).rejects.toMatchObject(denied));
    await expect(discover(shopOnly, { prefix: "shop-" })).rejects.toMatchObject(denied);
  });

  test("a revoked token ends the watch, and the token that replaced it is used", async () => {
    // R1.4 R1.6
    const { catalog } = await cluster.leader();
    await catalog.register("rotated", node("a"));
    const first = await cluster.createToken("rotated");
    const file = join(folder.path, "rotated");
    await writeFile(file, first.secret);
    const provider = provide("rotated", { token: { file } });
    await eventually(async () => expect(await probe(provider)).toBeUndefined());
    const recording = watch(provider);
    await shows(recording, "a");
    await catalog.call("DELETE", `/v1/acl/token/${first.accessor}`);
    expect((await failureOf(recording)).code).toMatch(/^CONNECTIVITY_UN(KNOWN_TOKEN|AUTHORIZED)$/);
    const second = await cluster.createToken("rotated");
    await writeFile(file, second.secret);
    await eventually(async () => expect(await probe(provider)).toBeUndefined());
    const after = watch(provider);
    await shows(after, "a");
    after.abort();
  });

  test("the watch fails when the leader is killed, and the next one uses the other servers and misses no change", async () => {
    // R2.5 R5.6
    const old = await cluster.leader();
    await old.catalog.register("led", node("a"));
    const { secret } = await cluster.createToken("led");
    const file = join(folder.path, "led");
    await writeFile(file, secret);
    const first = cluster.servers.filter((server) => server !== old);
    // The server that is killed is the first address.
    const addresses = [old, ...first].map(({ address }) => address);
    const provider = provide("led", { token: { file }, addresses });
    await eventually(async () => expect(await probe(provider)).toBeUndefined());
    const recording = watch(provider);
    await shows(recording, "a");
    await old.process.kill();
    await failureOf(recording);
    const next = await eventually(async () => {
      const leader = await cluster.leader();
      expect(leader).not.toBe(old);
      await leader.catalog.register("led", node("b"));
      return leader;
    });
    const after = await eventually(async () => {
      const fresh = watch(provider);
      await shows(fresh, "a", "b");
      return fresh;
    });
    await old.process.start();
    await next.catalog.register("led", node("c"));
    await shows(after, "a", "b", "c");
    after.abort();
  });
});
