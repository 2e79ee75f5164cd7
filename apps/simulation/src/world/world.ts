import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { compareDescriptors, type Random, type TopologyEvent } from "@holdfast/core";
import { BACKENDS, type BackendId, type PortName, type Script, type Setting } from "../script/script.ts";
import { createPorts } from "./create-ports.ts";
import { Life } from "./life.ts";
import type { Observer } from "./observer.ts";
import { describeCall } from "./port-record.ts";
import { toDescriptor } from "./sim-adapter.ts";
import { SimBackend } from "./sim-backend.ts";
import { SimDisk } from "./sim-disk.ts";
import { SimFiles } from "./sim-files.ts";
import { SimPort } from "./sim-port.ts";
import { Trace } from "./trace.ts";

/** Extra time that `stop` may take after its deadline, in milliseconds. */
const STOP_GRACE_MS = 1_000;

/** Backends, ports, disk and clock, and the service that runs with them. */
export class World {
  readonly setting: Setting;
  readonly clock: VirtualClock = new VirtualClock();
  readonly backends: ReadonlyMap<BackendId, SimBackend>;
  readonly ports: Readonly<Record<PortName, SimPort>>;
  readonly disk: SimDisk;
  readonly files: SimFiles;
  /** The files of the generation store, without the faults of `files`. */
  readonly generationFiles: SimFiles;
  readonly trace: Trace;
  readonly observers: Observer[] = [];
  readonly lives: Life[] = [];
  events = 0;
  readonly #random: Random;
  #moment = 0;
  #isInstantAwaited = false;

  constructor({ seed, setting }: Script, keepTrace: boolean) {
    const { clock } = this;
    this.setting = setting;
    this.#random = createSeededRandom(seed);
    this.trace = new Trace(clock, keepTrace);
    this.backends = new Map(BACKENDS.map((id) => [id, new SimBackend(id, clock, setting.marks)]));
    this.ports = {
      partition: this.#createPort("partition"),
      placement: this.#createPort("placement"),
      remoting: this.#createPort("remoting"),
    };
    this.disk = new SimDisk(clock);
    this.files = new SimFiles(() => this.disk.spin());
    this.generationFiles = new SimFiles(() => this.disk.spin());
    this.disk.write(JSON.stringify(setting.providers.map(toDescriptor).sort(compareDescriptors)));
  }

  get life(): Life {
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error("no life has started yet");
    return life;
  }

  /** Changes only the wall clock. */
  jump(ms: number): void {
    this.clock.jump(ms);
  }

  /** Returns the next position in the order of all events. */
  nextMoment(): number {
    return ++this.#moment;
  }

  get moment(): number {
    return this.#moment;
  }

  beginLife(): void {
    const { clock, setting, backends, ports, disk, files, generationFiles } = this;
    const life = new Life({
      number: this.lives.length + 1,
      clock,
      random: this.#random,
      setting,
      backends,
      createPorts: (of) => createPorts(ports, of),
      disk,
      files,
      generationFiles,
      nextMoment: () => this.nextMoment(),
      listener: {
        event: (event, of) => this.#onEvent(event, of),
        setChanged: (of) => {
          for (const observer of this.observers) observer.setChanged?.(of);
        },
        loaded: (record, of) => {
          for (const observer of this.observers) observer.loaded?.(record, of);
        },
        saveBegan: (record, of) => {
          for (const observer of this.observers) observer.saveBegan?.(record, of);
        },
        saveEnded: (record, of) => {
          this.#awaitInstant(of);
          for (const observer of this.observers) observer.saveEnded?.(record, of);
        },
      },
      note: (text) => this.trace.write(text),
    });
    this.lives.push(life);
    this.trace.write(`life ${life.number}`);
    for (const observer of this.observers) observer.lifeBegan?.(life);
    life.begin();
  }

  /** Stops the life and lets the time for that pass. */
  async stopLife(deadlineMs: number): Promise<void> {
    const { life } = this;
    for (const observer of this.observers) observer.stopBegins?.(life);
    life.isStopping = true;
    this.trace.write(`stop within ${deadlineMs}`);
    const stop = life.service.stop({ deadlineMs });
    const report = await this.clock.until(stop, deadlineMs + STOP_GRACE_MS).catch(() => undefined);
    await this.clock.settle();
    life.hasStopped = true;
    if (report === undefined) {
      for (const observer of this.observers) observer.stopOverdue?.(life);
      return;
    }
    this.trace.write(`stopped, unfinished: ${report.unfinished.join("; ") || "nothing"}`);
    for (const observer of this.observers) observer.lifeStopped?.(life, report);
  }

  killLife(): void {
    this.trace.write("killed");
    this.life.cut();
  }

  #createPort(name: PortName): SimPort {
    return new SimPort({
      name,
      clock: this.clock,
      onBegin: (record) => {
        this.trace.write(`> ${describeCall(record.call)}`);
        for (const observer of this.observers) observer.callBegan?.(record);
      },
      onEnd: (record) => {
        const { call, seqNo, outcome } = record;
        this.trace.write(`< ${call.port}.${call.method} ${seqNo} ${outcome}`);
        // A call of an earlier life, for which nothing waits any more.
        if (record.life !== this.life) return;
        for (const observer of this.observers) observer.callEnded?.(record);
      },
    });
  }

  #onEvent(event: TopologyEvent, life: Life): void {
    this.events++;
    this.trace.write(`${event.epoch}/${event.seqNo} ${describeEvent(event)}`);
    for (const observer of this.observers) observer.event?.(event, life);
    this.#awaitInstant(life);
  }

  /** A timer that is due at once fires after everything that happens now. */
  #awaitInstant(life: Life): void {
    if (this.#isInstantAwaited) return;
    this.#isInstantAwaited = true;
    this.clock.schedule(0, () => {
      this.#isInstantAwaited = false;
      if (life !== this.life || !life.isUp || life.isCut || life.isStopping) return;
      for (const observer of this.observers) observer.instantDone?.(life);
    });
  }
}

function describeEvent(event: TopologyEvent): string {
  switch (event.kind) {
    case "snapshot": {
      const { providerId, revision, hash, members, blockedNodes } = event.snapshot;
      const { retained = [] } = event.snapshot;
      const ids = members
        .toArray()
        .map(({ id }) => `${id}${blockedNodes.includes(id) ? "!" : ""}${retained.includes(id) ? "~" : ""}`);
      return `snapshot ${providerId} ${revision} ${hash} [${ids.join("")}]`;
    }
    case "provider_changed":
      return `provider_changed ${event.from} > ${event.to} ${event.reason}`;
    case "health_changed":
      return `health_changed ${event.providerId} ${event.from} > ${event.to} ${event.reason?.code ?? ""}`;
    case "status_changed":
      return `status_changed ${event.from} > ${event.to}: ${event.reason}`;
    case "guard_changed":
      return `guard_changed ${event.guard} ${event.providerId} ${event.isHolding ? "holds" : "held"} ${event.nodes} until ${event.until}`;
    default: {
      const { reason, providerId } = event;
      return `stream_terminated ${providerId} ${reason.kind === "ended" ? "ended" : reason.code}`;
    }
  }
}
