import { VirtualClock } from "@holdfast/testing";
import type { Transport } from "@holdfast/client";
import { Trace } from "../../world/trace.ts";
import {
  DAEMONS,
  FOLLOWERS,
  type DaemonName,
  type FollowerName,
  type Place,
  type TierScript,
} from "../script/tier-script.ts";
import { SimLink } from "./sim-link.ts";
import { TierDaemon } from "./tier-daemon.ts";
import { TierFollower } from "./tier-follower.ts";
import type { TierObserver } from "./tier-observer.ts";
import { Truth } from "./truth.ts";

/** The longest time between two checks, in milliseconds. */
const TICK_MS = 1_000;

/** Two daemons with a backend each, their followers, and the network between them. */
export class TierWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly trace: Trace;
  readonly truth: Truth;
  readonly script: TierScript;
  readonly daemons: ReadonlyMap<DaemonName, TierDaemon>;
  readonly followers: ReadonlyMap<FollowerName, TierFollower>;
  readonly observers: TierObserver[] = [];
  /** Number of log events of all followers. */
  events = 0;
  readonly #links = new Map<string, SimLink>();
  #seed: number;

  constructor(script: TierScript, keepsTrace: boolean) {
    this.script = script;
    this.trace = new Trace(this.clock, keepsTrace);
    this.truth = new Truth(this.clock);
    this.#seed = script.seed * 1_000;
    const nextSeed = () => ++this.#seed;
    const { clock, truth } = this;
    const { setting } = script;
    this.daemons = new Map(
      DAEMONS.map((name) => {
        const transport = this.#transportOf(name);
        const onRun = (daemon: TierDaemon) => this.#observeDaemon(daemon);
        return [name, new TierDaemon({ name, clock, setting, truth, transport, nextSeed, onRun })];
      }),
    );
    this.followers = new Map(
      setting.followers.map((each, index) => {
        const name = FOLLOWERS[index]!;
        const transport = this.#transportOf(name);
        const follower = new TierFollower({
          name,
          setting: each,
          clock,
          transport,
          nextSeed,
          onEvent: (event, followed) => {
            this.events++;
            this.trace.write(`${name}.${followed.life} ${followed.name} ${describeEvent(event)}`);
            for (const observer of this.observers) observer.event?.(event, followed);
          },
        });
        return [name, follower];
      }),
    );
  }

  daemon(name: DaemonName): TierDaemon {
    return this.daemons.get(name)!;
  }

  link(from: Place, to: DaemonName): SimLink {
    const key = `${from} ${to}`;
    const { clock } = this;
    const { latencyMs } = this.script.setting;
    const known = this.#links.get(key);
    const link = known ?? new SimLink({ clock, latencyMs, server: () => this.daemon(to).server });
    this.#links.set(key, link);
    return link;
  }

  get links(): Iterable<SimLink> {
    return this.#links.values();
  }

  start(): void {
    for (const daemon of this.daemons.values()) daemon.start("none");
    for (const follower of this.followers.values()) follower.start();
  }

  /** Lets time pass, and checks everything at least once per second. `isOver` ends it early. */
  async advance(ms: number, isOver: () => boolean): Promise<void> {
    for (let left = ms; left > 0 && !isOver(); left -= TICK_MS) {
      await this.clock.advance(Math.min(left, TICK_MS));
      this.check();
    }
  }

  check(): void {
    for (const daemon of this.daemons.values()) daemon.keep();
    for (const observer of this.observers) observer.tick?.();
  }

  #transportOf(from: Place): Transport {
    return (request) => {
      const to = DAEMONS.find((name) => name === new URL(request.url).hostname)!;
      return this.link(from, to).transport(request);
    };
  }

  #observeDaemon(daemon: TierDaemon): void {
    daemon.hub?.onEvent((event) => {
      this.trace.write(`${daemon.name}.${daemon.run} ${describeEvent(event)}`);
      for (const observer of this.observers) observer.daemonEvent?.(event, daemon);
    });
  }
}

function describeEvent(event: {
  readonly kind: string;
  readonly seqNo: number;
  readonly to?: string;
  readonly snapshot?: { readonly providerId: string; readonly hash: string };
}): string {
  const { kind, seqNo, to = "", snapshot } = event;
  const content = snapshot === undefined ? "" : ` ${snapshot.providerId} ${snapshot.hash}`;
  return `${seqNo} ${kind} ${to}${content}`.trimEnd();
}
