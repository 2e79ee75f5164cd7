import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DaemonLife } from "@holdfast-apps/lab";
import { CheckingFollower, HostileClients } from "@holdfast-apps/test-support";
import { sleep, systemClock } from "@holdfast/core";
import { digestOf } from "./member-digest.ts";
import type { SoakMember } from "./population.ts";
import type { ReadersReport } from "./readers-report.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** Between two requests to `/readyz`, in milliseconds. */
const LOOK_MS = 500;
/** How long the follower and the daemon may take to show the members at the end, in milliseconds. */
const SETTLE_MS = 60_000;

/**
 * A daemon on the same servers, whose endpoints are misused all along by clients that stall, read slowly, pipeline, flood and
 * idle. One client that means no harm follows it and checks every event.
 */
export class ReadDaemon implements AsyncDisposable {
  readonly #daemon: DaemonLife;
  readonly #url: string;
  readonly #clients: HostileClients;
  readonly #follower: CheckingFollower;
  readonly #over: AbortController = new AbortController();
  readonly #following: Promise<void>;
  readonly #looking: Promise<void>;
  readonly #readyMs: number[] = [];
  readonly #failures: string[] = [];
  #residentBytes = 0;

  /** Use `ReadDaemon.start`. */
  constructor(daemon: DaemonLife, url: string, follower: CheckingFollower) {
    this.#daemon = daemon;
    this.#url = url;
    this.#follower = follower;
    this.#clients = new HostileClients(url)
      .stalled(20)
      .slow(5)
      .pipelining(2, "/topology")
      .pipelining(1, "/metrics")
      .flooding(2)
      .idle(20);
    this.#following = follower
      .until(() => this.#over.signal.aborted)
      .catch((error: unknown) => void this.#failures.push(`the follower was cut off: ${String(error)}`));
    this.#looking = this.#look();
  }

  static async start({ providers, health, folder }: ServiceSetup): Promise<ReadDaemon> {
    const config = join(folder, "read-daemon.json");
    const validation = { probeTimeoutMs: 30_000 };
    const dataDir = join(folder, "read-daemon");
    await writeFile(config, JSON.stringify({ providers, health, validation, dataDir }));
    const daemon = new DaemonLife(config);
    try {
      await daemon.until(({ kind, to }) => kind === "status_changed" && to === "ready");
      const url = await daemon.url();
      return new ReadDaemon(daemon, url, await CheckingFollower.open(url));
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it, once it shows the members that the servers list or has had its time for it. */
  async finish(members: Iterable<SoakMember>): Promise<ReadersReport> {
    const expected = digestOf(members);
    const startedAt = systemClock.monotonic();
    while (this.#shown !== expected && systemClock.monotonic() - startedAt < SETTLE_MS)
      await sleep(LOOK_MS, { clock: systemClock });
    const differences = this.#shown === expected ? [] : [`the follower has ${this.#shown}, not ${expected}`];
    const broken = [...this.#follower.broken, ...this.#failures];
    this.#over.abort();
    await this.#clients[Symbol.asyncDispose]();
    await this.#looking;
    const { code, err } = await this.#daemon.stop();
    await this.#following;
    return {
      readyMs: this.#readyMs,
      residentBytes: this.#residentBytes,
      disconnected: Object.fromEntries(this.#clients.disconnected),
      differences: [...differences, ...broken],
      exitCode: code,
      err,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#clients[Symbol.asyncDispose]();
    await this.#daemon[Symbol.asyncDispose]();
    await this.#follower[Symbol.asyncDispose]();
    await Promise.all([this.#following, this.#looking]);
  }

  get #shown(): string {
    return digestOf(this.#follower.members.values());
  }

  /** Asks for what health checks and monitoring ask for, until it is over. */
  async #look(): Promise<void> {
    const headers = { connection: "close" };
    while (!this.#over.signal.aborted) {
      try {
        const startedAt = systemClock.monotonic();
        await (await fetch(`${this.#url}/readyz`, { headers })).text();
        this.#readyMs.push(systemClock.monotonic() - startedAt);
        const text = await (await fetch(`${this.#url}/metrics`, { headers })).text();
        const [, bytes = "0"] = /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
        this.#residentBytes = Math.max(this.#residentBytes, Number(bytes));
      } catch (error) {
        this.#failures.push(`a health check failed: ${String(error)}`);
      }
      await sleep(LOOK_MS, { clock: systemClock });
    }
  }
}
