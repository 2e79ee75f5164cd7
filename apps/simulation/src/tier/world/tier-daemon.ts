import { createSnapshot, type Clock, type KnownGood, type TopologyState } from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom } from "@holdfast/testing";
import { MeshDaemon, type FakeServer } from "@holdfast/client/simulated";
import type { Transport } from "@holdfast/client";
import {
  DAEMONS,
  type BackendState,
  type DaemonName,
  type Kept,
  type TierSetting,
} from "../script/tier-script.ts";
import type { Truth } from "./truth.ts";

/** The name of a topology that has no standby. */
export const OTHER_TOPOLOGY = "other";

/** A daemon answers requests before it has loaded what it kept. */
const START_MS = 300;

export interface TierDaemonOptions {
  readonly name: DaemonName;
  readonly clock: Clock;
  readonly setting: TierSetting;
  readonly truth: Truth;
  /** Reaches the other daemon. */
  readonly transport: Transport;
  /** A number for each run of a daemon. */
  readonly nextSeed: () => number;
  readonly onRun: (daemon: TierDaemon) => void;
}

interface Run {
  /** The state of its backend. */
  backend: BackendState;
  readonly mesh: MeshDaemon;
  readonly other: Other;
  readonly end: () => Promise<void>;
}

/** A daemon that can be killed and started again. */
export class TierDaemon {
  readonly name: DaemonName;
  backend: BackendState = "up";
  readonly #options: TierDaemonOptions;
  #run: Run | undefined;
  #runs = 0;
  #newest: KnownGood | undefined;
  #aside: KnownGood | undefined;
  readonly #ending = new Set<Promise<void>>();

  constructor(options: TierDaemonOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#run !== undefined;
  }

  /** The number of the current or last run, from 1. */
  get run(): number {
    return this.#runs;
  }

  get server(): FakeServer | undefined {
    return this.#run?.mesh.server;
  }

  get hub(): WatchHub | undefined {
    return this.#run?.mesh.hub;
  }

  get otherHub(): WatchHub | undefined {
    return this.#run?.other.hub;
  }

  get state(): TopologyState | undefined {
    return this.hub?.state;
  }

  get active(): string | undefined {
    return this.#run?.mesh.active;
  }

  start(kept: Kept): void {
    const { name, clock, setting, truth, transport, nextSeed, onRun } = this.#options;
    const { retainedEvents, standby } = setting;
    const run = ++this.#runs;
    const known = { newest: this.#newest, aside: this.#aside ?? this.#newest, none: undefined }[kept];
    const other = startOther({ clock, truth, run, name, seed: nextSeed(), retainedEvents });
    const mesh = new MeshDaemon({
      name,
      run,
      clock,
      seed: nextSeed(),
      peers: DAEMONS.filter((peer) => peer !== name),
      transport,
      health: { standby },
      retainedEvents,
      known,
      startsAfterMs: START_MS,
      findOther: (topology) => (topology === OTHER_TOPOLOGY ? other.hub : undefined),
    });
    this.#run = {
      backend: "up",
      mesh,
      other,
      end: async () => {
        await mesh[Symbol.asyncDispose]();
        await other.end();
      },
    };
    this.publish();
    this.setBackend(this.backend);
    onRun(this);
  }

  /** Ends the run as `kill -9` does: connections break, and nothing is saved. */
  kill(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const ending = run.end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Resolves when everything of the runs that were killed has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  /** Its backends have what is true now. */
  publish(): void {
    const { members } = this.#options.truth;
    this.#run?.mesh.backend.set(members);
    this.#run?.other.provider.set(members);
  }

  setBackend(state: BackendState): void {
    this.backend = state;
    const run = this.#run;
    if (run === undefined || run.backend === state) return;
    const { backend } = run.mesh;
    if (state === "refusing") run.mesh.loseBackend();
    // It sends its content to the connected processes. There are none, unless it was suspended and runs again.
    if (run.backend !== "up") backend.recover();
    if (state === "refusing") backend.refuse();
    if (state === "hanging") backend.hang();
    run.backend = state;
  }

  /** Remembers good content, as the keeper of a daemon does. */
  keep(): void {
    const { state } = this;
    if (state?.status !== "ready" || state.snapshot === undefined) return;
    const snapshot = createSnapshot({ ...state.snapshot, blockedNodes: [], via: undefined });
    this.#newest = { snapshot, confirmedAt: this.#options.clock.now(), source: this.name };
  }

  putAside(): void {
    this.#aside = this.#newest;
  }
}

/** A topology without a standby. */
interface Other {
  readonly hub: WatchHub;
  readonly provider: MemoryProvider;
  readonly end: () => Promise<void>;
}

interface OtherOptions {
  readonly clock: Clock;
  readonly truth: Truth;
  readonly run: number;
  readonly name: DaemonName;
  readonly seed: number;
  readonly retainedEvents: number;
}

function startOther({ clock, truth, run, name, seed, retainedEvents }: OtherOptions): Other {
  const random = createSeededRandom(seed);
  const provider = new MemoryProvider({ id: "backend", clock, members: truth.members });
  const failover = new Failover({ providers: [provider], clock, random });
  const epoch = `${name}-other-${run}`;
  const hub = new WatchHub({ source: failover, clock, random, epoch, retainedEvents });
  hub.start();
  return {
    hub,
    provider,
    async end() {
      await hub[Symbol.asyncDispose]();
      await failover[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}
