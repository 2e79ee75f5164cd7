import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubernetesServer } from "@holdfast-apps/lab";
import type { Figure } from "../measure.ts";
import type { ManyCommand, ManyReport, Way } from "./many-services-main.ts";

const ENDPOINTS = 10;
const NAMESPACE = "default";

const WARM_UP = { service: "warm-up", namespace: "warm-up" };

const NAMES: Readonly<Record<Way, string>> = {
  namespace: "shared watch",
  service: "watch each",
  selector: "one provider of all",
};

/** Increases over all runs, because a Service that is written again without a difference is not a change. */
let version = 0;

export interface ManyServicesOptions {
  readonly services: number;
  readonly changes: number;
  readonly idleMs: number;
}

/** Measures providers of many Services of one namespace with one shared watch, with a watch each, and one provider of all of them. */
export async function benchManyServices(options: ManyServicesOptions): Promise<readonly Figure[]> {
  await using server = await KubernetesServer.start();
  const services = Array.from({ length: options.services }, (_, i) => `svc-${i}`);
  for (const service of services) await publish(server, service, version);
  await server.api.call("POST", "/api/v1/namespaces", { metadata: { name: WARM_UP.namespace } });
  await publish(server, WARM_UP.service, version, WARM_UP.namespace);
  const figures: Figure[] = [];
  for (const way of ["selector", "namespace", "service"] as const)
    figures.push(...(await measure(way, server, services, options)));
  return figures;
}

async function measure(
  way: Way,
  server: KubernetesServer,
  services: readonly string[],
  { changes, idleMs }: ManyServicesOptions,
): Promise<readonly Figure[]> {
  const figure = (name: string, value: number, unit: Figure["unit"]): Figure => ({
    name: `Kubernetes, ${services.length} Services: ${name}, ${NAMES[way]}`,
    members: services.length * ENDPOINTS,
    value,
    unit,
  });
  await using follower = new Follower();
  const requestsBefore = await countRequests(server);
  const complete = follower.next("complete");
  follower.send({
    type: "follow",
    way,
    params: { ...server.params(), namespace: NAMESPACE },
    services,
    endpoints: ENDPOINTS,
    warmUp: WARM_UP,
  });
  const { afterMs } = await complete;
  // The code is compiled, and the connections are settled.
  await sleep(5_000);
  const begun = await follower.measure();
  const requestsIdle = await countRequests(server);
  await sleep(idleMs);
  const idle = await follower.measure();
  const perMinute = ((await countRequests(server)) - requestsIdle) * (60_000 / idleMs);
  const startedAt = performance.now();
  for (let i = 0; i < changes; i++) await publish(server, services[(i * 7) % services.length]!, ++version);
  await sleep(1_000);
  const changed = await follower.measure();
  const idleUs = (idle.cpuUs / idleMs) * (performance.now() - startedAt);
  // Changes that arrive together lead to one snapshot of a provider.
  if (changed.snapshots < changes / 2)
    throw new Error(`${changes} changes caused ${changed.snapshots} snapshots`);
  return [
    figure("complete after", afterMs, "ms"),
    figure("watches that failed until then", begun.failures, "count"),
    figure("requests until then and 5 s after", requestsIdle - requestsBefore, "count"),
    figure("heap and buffers held per member", idle.heldBytes / (services.length * ENDPOINTS), "bytes"),
    figure("requests per minute, idle", perMinute, "count"),
    figure("CPU per second, idle", idle.cpuUs / idleMs, "ms"),
    figure("CPU per change, without the idle part", Math.max(changed.cpuUs - idleUs, 0) / changes, "us"),
  ];
}

/** Writes the endpoints of a Service. Another edition changes one of them. */
async function publish(
  server: KubernetesServer,
  service: string,
  edition: number,
  namespace = NAMESPACE,
): Promise<void> {
  const nodes = Array.from({ length: ENDPOINTS }, (_, i) => ({
    id: `${service}-${i}`,
    host: i === 0 ? `10.9.${(edition >> 8) & 255}.${edition & 255}` : `10.0.0.${i}`,
  }));
  await server.api.publishSlices(service, [{ name: `${service}-1`, port: 80, nodes }], namespace);
}

/** The number of requests for EndpointSlices that the server has answered. A watch is counted when it has ended. */
async function countRequests(server: KubernetesServer): Promise<number> {
  const metrics = String(await server.api.call("GET", "/metrics"));
  const lines = metrics.matchAll(
    /^apiserver_request_total\{.*resource="endpointslices".*verb="(?:LIST|WATCH)".*\} ([\d.e+]+)$/gm,
  );
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The process that follows the Services. */
class Follower implements AsyncDisposable {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "many-services-main.ts"), [], {
    execArgv: ["--expose-gc"],
  });

  send(command: ManyCommand): void {
    this.#child.send(command);
  }

  /** Waits for a report. Rejects after a minute. */
  async next<T extends ManyReport["type"]>(type: T): Promise<Extract<ManyReport, { readonly type: T }>> {
    const signal = AbortSignal.timeout(60_000);
    for (;;) {
      const [report] = (await once(this.#child, "message", { signal })) as [ManyReport];
      if (isOf(report, type)) return report;
    }
  }

  measure(): Promise<Extract<ManyReport, { readonly type: "measured" }>> {
    const measured = this.next("measured");
    this.send({ type: "measure" });
    return measured;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

function isOf<T extends ManyReport["type"]>(
  report: ManyReport,
  type: T,
): report is Extract<ManyReport, { readonly type: T }> {
  return report.type === type;
}
