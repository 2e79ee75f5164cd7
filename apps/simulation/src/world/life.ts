import {
  compareDescriptors,
  isProvisioningError,
  type Clock,
  type ProviderDescriptor,
  type Random,
  type TopologyEvent,
} from "@holdfast/core";
import { ProvisioningService, type ServicePorts, type ServiceWarning } from "@holdfast/provisioning";
import type { BackendId, LifeSetting, Setting } from "../script/script.ts";
import type { AdmissionRecord } from "./admission-record.ts";
import { LifeClock } from "./life-clock.ts";
import type { Operation } from "./operation.ts";
import { createSimAdapter } from "./sim-adapter.ts";
import type { SimBackend } from "./sim-backend.ts";
import { neverSettles } from "./never-settles.ts";
import { RecordingSnapshotStore } from "./recording-snapshot-store.ts";
import { createSimGenerationStore } from "./sim-generation-store.ts";
import { SimStore, type SimDisk } from "./sim-disk.ts";
import type { SimFiles } from "./sim-files.ts";
import type { SimProvider } from "./sim-provider.ts";
import type { LoadRecord, SaveRecord } from "./snapshot-record.ts";

/** Receives the reports of a life until it is killed; `Observer` documents them. */
export interface LifeListener {
  event(event: TopologyEvent, life: Life): void;
  setChanged(life: Life): void;
  loaded(record: LoadRecord, life: Life): void;
  saveBegan(record: SaveRecord, life: Life): void;
  saveEnded(record: SaveRecord, life: Life): void;
}

export interface LifeOptions {
  readonly number: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly setting: Setting;
  readonly backends: ReadonlyMap<BackendId, SimBackend>;
  readonly createPorts: (life: Life) => ServicePorts;
  readonly disk: SimDisk;
  readonly files: SimFiles;
  readonly generationFiles: SimFiles;
  readonly nextMoment: () => number;
  readonly listener: LifeListener;
  readonly note: (text: string) => void;
}

/** One run of the service, from its start to its stop or kill. */
export class Life {
  readonly number: number;
  readonly clock: LifeClock;
  readonly store: SimStore;
  readonly service: ProvisioningService;
  /** All instances of providers, in order of creation. */
  readonly instances: SimProvider[] = [];
  /** Streams that had delivered and ended without an abort. */
  readonly brokenStreams: { readonly provider: SimProvider; readonly atMs: number }[] = [];
  readonly operations: Operation[] = [];
  readonly admissions: AdmissionRecord[] = [];
  readonly warnings: ServiceWarning[] = [];
  /** Wall-clock milliseconds. */
  readonly bornAt: number;
  /** The configuration of this life. */
  readonly guards: LifeSetting;
  /** The time at which the start was complete; undefined before. */
  upAt:
    | {
        readonly wallMs: number;
        readonly monotonicMs: number;
        readonly registered: readonly ProviderDescriptor[];
      }
    | undefined;
  isUp = false;
  hasFailedToStart = false;
  /** True after a kill: nothing of this life runs any more. */
  isCut = false;
  /** The provider that the operator pinned last. */
  pinned: BackendId | undefined;
  isStopping = false;
  hasStopped = false;
  readonly #note: (text: string) => void;

  constructor(options: LifeOptions) {
    const { number, setting, backends, disk, nextMoment, note, listener } = options;
    this.number = number;
    this.#note = note;
    this.clock = new LifeClock(options.clock);
    this.bornAt = this.clock.now();
    this.store = new SimStore(
      disk,
      () => !this.isCut,
      (what) => note(`disk ${what}`),
    );
    const adapter = createSimAdapter({
      backends,
      lateSnapshotMs: setting.lateSnapshotMs,
      nextMoment,
      onCreate: (provider) => this.instances.push(provider),
      onTrouble: (provider, code, hadDelivered) => {
        if (this.isCut) return;
        const { id } = provider.descriptor;
        note(`${id} ${code}${hadDelivered ? "" : " (had not begun)"}`);
        if (hadDelivered) this.brokenStreams.push({ provider, atMs: this.clock.monotonic() });
      },
    });
    const { providers: _, lives, marks: _marks, probe, suppressAfter, suppressMs, ...others } = setting;
    const { callTimeoutMs: timeoutMs, callTries: tries, ...health } = others;
    this.guards = lives[(number - 1) % lives.length] ?? {};
    const { removalDwellMs, massRemoval, lastKnownGood } = this.guards;
    this.service = new ProvisioningService({
      adapters: [adapter],
      store: this.store,
      generation: createSimGenerationStore({
        files: options.generationFiles,
        clock: this.clock,
        number,
        whileAlive: this.#whileAlive,
      }),
      ports: options.createPorts(this),
      health,
      calls: { timeoutMs, tries },
      guards: { removalDwellMs, massRemoval },
      lastKnownGood: lastKnownGood && { ...lastKnownGood, store: this.#createSnapshotStore(options) },
      validation: { probe, suppressAfter, suppressMs },
      clock: this.clock,
      random: options.random,
    });
    this.service.on("warning", (warning) => {
      if (this.isCut) return;
      this.warnings.push(warning);
      note(`warning ${warning.code} ${warning.providerId ?? ""}`);
    });
    this.service.registry.on("changed", (set) => {
      // A removed provider is no longer pinned, also when it is added again.
      const isPinnable = set.some(({ descriptor, provider }) => provider && descriptor.id === this.pinned);
      if (!isPinnable) this.pinned = undefined;
      if (!this.isCut) listener.setChanged(this);
    });
    this.service.topology.onEvent((event) => {
      if (!this.isCut) listener.event(event, this);
    });
  }

  begin(): void {
    const startup = this.service.start();
    this.track("start", startup, () => this.store.loaded);
    void this.#follow(startup);
  }

  /** Records the outcome of a change of the set. */
  track(what: string, work: Promise<unknown>, effect: Operation["effect"]): void {
    const operation: Operation = {
      what,
      effect: (before) => [...effect(before)].sort(compareDescriptors),
      outcome: "pending",
    };
    this.operations.push(operation);
    void this.#settle(operation, work);
  }

  /** The instances that are in force. */
  get inForce(): readonly SimProvider[] {
    const current = new Set(this.service.registry.list().flatMap(({ provider }) => provider ?? []));
    return this.instances.filter((instance) => current.has(instance));
  }

  /** The active instance, if there is one. */
  get active(): SimProvider | undefined {
    const id = this.service.providerHealth().find(({ isActive }) => isActive)?.providerId;
    return this.inForce.find(({ descriptor }) => descriptor.id === id);
  }

  get registered(): readonly ProviderDescriptor[] {
    return this.service.registry.list().map(({ descriptor }) => descriptor);
  }

  /** Simulates `kill -9`. */
  cut(): void {
    this.isCut = true;
    this.clock.cut();
    for (const { watches } of this.instances) for (const connection of watches) connection.close();
  }

  /** Never resolves once this life is over. */
  readonly #whileAlive = async (): Promise<void> =>
    this.isCut || this.hasStopped ? neverSettles() : undefined;

  #createSnapshotStore({ files, listener }: LifeOptions): RecordingSnapshotStore {
    return new RecordingSnapshotStore({
      files,
      clock: this.clock,
      whileAlive: this.#whileAlive,
      state: () => this.service.topology.state,
      onLoad: (record) => {
        this.#note(
          `snapshot file ${record.isDamaged ? "damaged" : (record.known?.snapshot.providerId ?? "not read")}`,
        );
        listener.loaded(record, this);
      },
      onBegin: (record) => {
        this.#note(`snapshot file: save ${record.known.snapshot.providerId} ${record.known.snapshot.hash}`);
        listener.saveBegan(record, this);
      },
      onEnd: (record) => {
        this.#note(`snapshot file: save ${record.outcome}`);
        listener.saveEnded(record, this);
      },
    });
  }

  async #follow(startup: Promise<void>): Promise<void> {
    try {
      await startup;
      this.isUp = true;
      const { clock, registered } = this;
      this.upAt = { wallMs: clock.now(), monotonicMs: clock.monotonic(), registered };
    } catch {
      this.hasFailedToStart = true;
    }
  }

  async #settle(operation: Operation, work: Promise<unknown>): Promise<void> {
    try {
      await work;
      operation.outcome = "done";
    } catch (error) {
      operation.outcome = "refused";
      operation.error = error;
    }
    if (!this.isCut) this.#note(`${operation.what} ${operation.outcome} ${codeOf(operation.error)}`);
  }
}

function codeOf(error: unknown): string {
  if (isProvisioningError(error)) return error.code;
  return error instanceof Error ? error.message : "";
}
