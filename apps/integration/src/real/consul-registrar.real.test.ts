import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { sleep, systemClock } from "@holdfast/core";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ConsulAgent, ConsulCluster, eventually, TcpProxy, uniqueName } from "@holdfast-apps/lab";
import { AnnouncingProcess } from "../registrar/announcing-process.ts";
import type { AnnouncingSettings } from "../registrar/announcing-program.ts";
import { findInstances, type Instance } from "./consul-instances.ts";
import { PrometheusObserver } from "./prometheus-observer.ts";

const TTL_MS = 2_000;
/** Slack for the scheduling of processes, and for the agent, which checks a time to live and then tells the catalog. */
const SLACK_MS = 1_500;

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

/** Processes of one service, and what an independent reader of the catalog sees of them. */
class Announced {
  readonly service: string = uniqueName();
  readonly #address: string;
  readonly #through: string;

  /** The processes register at `through`; the observer asks `address`. */
  constructor(address: string, through: string = address) {
    this.#address = address;
    this.#through = through;
  }

  start(
    id: string,
    params: object = {},
    more: Partial<Pick<AnnouncingSettings, "self" | "options">> = {},
  ): AnnouncingProcess {
    const started = new AnnouncingProcess({
      kind: "consul",
      params: { service: this.service, address: this.#through, ttlMs: TTL_MS, ...params },
      self: { id, host: "127.0.0.1", port: 0 },
      options: { drainMs: 300, maxRetryMs: 500 },
      ...more,
    });
    open.push(started);
    return started;
  }

  passing(): Promise<readonly Instance[]> {
    return findInstances(this.#address, this.service, { isPassing: true });
  }

  all(): Promise<readonly Instance[]> {
    return findInstances(this.#address, this.service, { isPassing: false });
  }

  /** Waits until exactly these instances are passing. Returns for how long it waited. */
  async lists(...ids: readonly string[]): Promise<number> {
    const startedAt = systemClock.monotonic();
    await eventually(async () => expect((await this.passing()).map(({ id }) => id)).toEqual(ids));
    return systemClock.monotonic() - startedAt;
  }
}

// R8.4
describeReal("a process that announces itself at a Consul agent", ["consul program"], () => {
  let agent: ConsulAgent;
  beforeAll(async () => {
    agent = await ConsulAgent.start();
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  test("is listed with every field", async () => {
    const announced = new Announced(agent.address);
    const self = { id: "team/a", host: "127.0.0.1", port: 0, zone: "eu-1", weight: 3 };
    const started = announced.start(
      "",
      {},
      { self: { ...self, tags: ["b", "a"], metadata: { rack: "r1" } } },
    );
    const { port } = await started.until("started");
    await announced.lists("team/a");
    expect(await announced.passing()).toEqual([
      {
        id: "team/a",
        host: "127.0.0.1",
        port,
        tags: ["a", "b"],
        meta: { rack: "r1", zone: "eu-1" },
        weight: 3,
        checks: expect.objectContaining({ "holdfast:ttl:team/a": "passing" }),
      },
    ]);
  });

  test("is out within its time to live after kill -9, and stays listed while it lives", async () => {
    const announced = new Announced(agent.address);
    const [killed] = [announced.start("a"), announced.start("b")];
    await announced.lists("a", "b");
    for (let passed = 0; passed < 2 * TTL_MS; passed += 100) {
      expect(await announced.passing()).toHaveLength(2);
      await sleep(100, { clock: systemClock });
    }
    killed.signal("SIGKILL");
    expect(await announced.lists("b")).toBeLessThanOrEqual(TTL_MS + SLACK_MS);
    // It is critical; Consul removes it after deregisterAfterMs.
    expect(await announced.all()).toHaveLength(2);
  });

  test.each([
    [
      "is suspended",
      (each: AnnouncingProcess) => each.signal("SIGSTOP"),
      (each: AnnouncingProcess) => each.signal("SIGCONT"),
    ],
    [
      "hangs",
      (each: AnnouncingProcess) => each.command(`block ${TTL_MS + SLACK_MS + 1_000}`),
      () => undefined,
    ],
  ])("is out within its time to live when it %s, and comes back by itself", async (_, stop, resume) => {
    const announced = new Announced(agent.address);
    const started = announced.start("a");
    await announced.lists("a");
    stop(started);
    expect(await announced.lists()).toBeLessThanOrEqual(TTL_MS + SLACK_MS);
    resume(started);
    await announced.lists("a");
    expect((await started.until("lost"))["reason"]).toMatchObject({ code: "LIFECYCLE_REGISTRATION_LOST" });
    expect(await started.until("registered", 2)).toMatchObject({ isAgain: true });
  });

  test("is out within its time to live when the agent cannot be reached, and comes back by itself", async () => {
    const proxy = await TcpProxy.listen(agent.address);
    open.push(proxy);
    const announced = new Announced(agent.address, proxy.address);
    const started = announced.start("a");
    await announced.lists("a");
    for (const partition of ["hang", "refuse"] as const) {
      const before = started.lines.length;
      proxy[partition]();
      expect(await announced.lists()).toBeLessThanOrEqual(TTL_MS + SLACK_MS);
      await started.until("lost", before);
      proxy.pass();
      await announced.lists("a");
      expect(await started.until("registered", before)).toMatchObject({ isAgain: true });
    }
  });

  test("is out at once with SIGTERM, finishes, and ends by that signal", async () => {
    const announced = new Announced(agent.address);
    const leaving = announced.start("a", {}, { options: { drainMs: 1_500 } });
    await announced.lists("a");
    leaving.signal("SIGTERM");
    const draining = await leaving.until("draining");
    expect(await announced.lists()).toBeLessThan(1_000);
    const [instance] = await announced.all();
    expect(instance!.checks).toMatchObject({
      "_service_maintenance:a": "critical",
      "holdfast:ttl:a": "passing",
    });
    expect(await leaving.ended()).toEqual({ by: "SIGTERM", err: "" });
    expect(leaving.types).toEqual(["started", "registered", "draining", "finish", "left"]);
    expect(leaving.lines.at(-2)!.at - draining.at).toBeGreaterThanOrEqual(1_400);
    expect(await announced.all()).toEqual([]);
  });

  test("that was killed while it drained is listed when it starts again", async () => {
    const announced = new Announced(agent.address);
    const first = announced.start("a", {}, { options: { drainMs: 60_000 } });
    await announced.lists("a");
    first.signal("SIGTERM");
    await announced.lists();
    first.signal("SIGKILL");
    await first.ended();
    announced.start("a");
    await announced.lists("a");
  });

  test("with an HTTP check, is listed while it responds", async () => {
    const announced = new Announced(agent.address);
    const check = { http: "http://127.0.0.1:PORT/readyz", intervalMs: 300, timeoutMs: 500 };
    const started = announced.start("a", { check });
    await announced.lists("a");
    started.command("block 3000");
    expect(await announced.lists()).toBeLessThan(300 + 500 + SLACK_MS);
    await announced.lists("a");
    started.signal("SIGTERM");
    await announced.lists();
    expect((await started.ended()).by).toBe("SIGTERM");
  });

  test.skipIf(!PrometheusObserver.isInstalled)("is what Prometheus sees, too", async () => {
    const announced = new Announced(agent.address);
    const started = announced.start("a");
    const { port } = await started.until("started");
    const prometheus = await PrometheusObserver.start(agent.address, announced.service);
    open.push(prometheus);
    await eventually(async () => expect(await prometheus.targets()).toEqual([`127.0.0.1:${String(port)}`]));
    started.signal("SIGTERM");
    await started.ended();
    await eventually(async () => expect(await prometheus.targets()).toEqual([]));
  });
});

// R8.4
describeReal("an agent that is restarted", ["consul program"], () => {
  test.each([
    ["without its data", false],
    ["with its data", true],
  ])("%s lists the process again by itself", async (_, isDurable) => {
    const agent = await ConsulAgent.start({ isDurable });
    open.push(agent);
    const announced = new Announced(agent.address);
    const [started, other] = [announced.start("a"), announced.start("b")];
    await announced.lists("a", "b");
    await agent.process.restart();
    await announced.lists("a", "b");
    for (const each of [started, other]) {
      // Whether it was lost depends on how long the restart takes.
      if (!isDurable) await each.until("lost");
      await eventually(() =>
        expect(each.types.filter((type) => type !== "failed").at(-1)).toBe("registered"),
      );
    }
  });

  test("and is frozen in between, makes no process end or forget", async () => {
    const agent = await ConsulAgent.start();
    open.push(agent);
    const announced = new Announced(agent.address);
    const started = announced.start("a");
    await announced.lists("a");
    agent.process.freeze();
    await started.until("lost");
    agent.process.thaw();
    await announced.lists("a");
    await started.until("registered", started.types.indexOf("lost"));
  });
});

// R8.4 R1.6
describeReal("a cluster with TLS and ACLs", ["consul program"], () => {
  test("accepts a token that may write the service, and rejects an unknown one", async () => {
    const cluster = await ConsulCluster.start();
    open.push(cluster);
    const { client, caFile } = cluster;
    const service = uniqueName();
    const { catalog } = await cluster.leader();
    const Rules = `service "${service}" { policy = "write" }`;
    await catalog.call("PUT", "/v1/acl/policy", { Name: service, Rules });
    const created = (await catalog.call("PUT", "/v1/acl/token", { Policies: [{ Name: service }] })) as {
      readonly SecretID: string;
    };
    const start = (id: string, token: string): AnnouncingProcess => {
      process.env["HOLDFAST_TEST_TOKEN"] = token;
      const started = new AnnouncingProcess({
        kind: "consul",
        params: {
          service,
          address: client.address,
          token: { env: "HOLDFAST_TEST_TOKEN" },
          tls: { caFile },
          ttlMs: TTL_MS,
        },
        self: { id, host: "127.0.0.1", port: 0 },
        options: { drainMs: 0 },
      });
      delete process.env["HOLDFAST_TEST_TOKEN"];
      open.push(started);
      return started;
    };
    const accepted = start("a", created.SecretID);
    const rejected = start("b", "0a0b0c0d-0000-0000-0000-000000000000");
    await accepted.until("registered");
    expect((await rejected.until("failed"))["reason"]).toMatchObject({ code: "CONNECTIVITY_UNKNOWN_TOKEN" });
    const path = `/v1/health/service/${service}?passing`;
    await eventually(async () => expect(await catalog.call("GET", path)).toHaveLength(1));
    expect(JSON.stringify([accepted.lines, rejected.lines])).not.toContain(created.SecretID);
    accepted.signal("SIGTERM");
    expect((await accepted.ended()).by).toBe("SIGTERM");
    await eventually(async () => expect(await catalog.call("GET", path)).toHaveLength(0));
  });
});
