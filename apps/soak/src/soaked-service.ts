import { join } from "node:path";
import type { NodeId } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { ProvisioningService } from "@holdfast/provisioning";
import { FileProviderStore, FileSnapshotStore } from "@holdfast/store-file";
import { Registry } from "prom-client";
import { measureHoldings } from "./holdings.ts";
import type { ListenerCensus } from "./listener-census.ts";
import { LoopWatch } from "./loop-watch.ts";
import { channelDigestOf, digestOf } from "./member-digest.ts";
import type { Sample, RunSummary, View } from "./sample.ts";
import type { ServiceSetup } from "./service-setup.ts";
import { EventRecorder } from "./event-recorder.ts";
import { Tally } from "./tally.ts";
import { WorkingPorts } from "./working-ports.ts";

/** The complete service as a user runs it, on real adapters and stores, with the means to observe it. */
export class SoakedService {
  readonly #ports = new WorkingPorts();
  readonly #metrics = new Registry();
  readonly #events = new EventRecorder();
  readonly #loop = new LoopWatch();
  readonly #processWarnings = new Tally();
  readonly #census: ListenerCensus;
  readonly #setup: ServiceSetup;
  readonly #service: ProvisioningService;
  #isolated: NodeId | undefined;
  #unhandledRejections = 0;

  constructor(setup: ServiceSetup, census: ListenerCensus) {
    this.#census = census;
    this.#setup = setup;
    this.#service = new ProvisioningService({
      adapters: [consul.createAdapter(), kubernetes.createAdapter()],
      store: new FileProviderStore({ path: join(setup.folder, "providers.jsonl") }),
      lastKnownGood: { store: new FileSnapshotStore({ path: join(setup.folder, "last-known-good.jsonl") }) },
      ports: this.#ports,
      health: setup.health,
      // The servers have just received their members, and share the processors with this process.
      validation: { probeTimeoutMs: 30_000 },
      metricsRegistry: this.#metrics,
    });
    this.#service.topology.onEvent((event) => this.#events.record(event));
    this.#service.on("warning", ({ code }) => this.#events.warnings.add(code));
    process.on("unhandledRejection", () => this.#unhandledRejections++);
    process.on("warning", ({ name }) => this.#processWarnings.add(name));
  }

  start(): Promise<void> {
    return this.#service.start({ providers: this.#setup.providers });
  }

  async sample(): Promise<Sample> {
    // Rendered as for a scrape by Prometheus; its cost is part of the measurement.
    const exposition = await this.#metrics.metrics();
    const { user, system } = process.cpuUsage();
    const { delay, value } = this.#loop.readAround(() => measureHoldings(this.#census));
    const { status, seqNo, snapshot } = this.#service.topology.state;
    return {
      ...value,
      loop: delay,
      cpuMs: (user + system) / 1_000,
      unhandledRejections: this.#unhandledRejections,
      processWarnings: this.#processWarnings.counts(),
      status,
      seqNo,
      members: snapshot?.members.size ?? 0,
      metricLines: exposition.split("\n").length,
    };
  }

  /**
   * Restores the member that was isolated last. Then, with `another`, isolates another one, as Remoting does when it
   * cannot reach a member.
   */
  isolate(another: boolean): void {
    const { remoting, topology } = this.#service;
    if (this.#isolated !== undefined) remoting?.restore(this.#isolated);
    this.#isolated = undefined;
    const { snapshot, seqNo } = topology.state;
    if (!another || snapshot === undefined) return;
    const members = snapshot.members.toArray();
    this.#isolated = members[seqNo % members.length]?.id;
    if (this.#isolated !== undefined) remoting?.block(this.#isolated);
  }

  view(): View {
    const { status, isStale, snapshot, snapshotSeqNo } = this.#service.topology.state;
    const reports = this.#service.providerHealth();
    return {
      health: Object.fromEntries(reports.map(({ providerId, health }) => [providerId, health])),
      active: reports.find(({ isActive }) => isActive)?.providerId,
      status,
      isStale,
      snapshotSeqNo,
      blocked: snapshot?.blockedNodes.length ?? 0,
      retained: snapshot?.retained?.length ?? 0,
      members: digestOf(snapshot?.members ?? []),
      channels: channelDigestOf(snapshot?.members ?? []),
      ports: this.#ports.view(),
    };
  }

  summary(): RunSummary {
    return this.#events.summarize(this.#ports.report());
  }

  /** Stops the service. Returns the parts that did not finish in time; empty when all did. */
  async stop(): Promise<readonly string[]> {
    const { unfinished } = await this.#service.stop();
    this.#loop[Symbol.dispose]();
    return unfinished;
  }
}
