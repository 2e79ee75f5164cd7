import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DaemonLife } from "@holdfast-apps/lab";
import { CheckingFollower, HostileClients } from "@holdfast-apps/test-support";
import { sleep, systemClock } from "@holdfast/core";
import { digestOf } from "./member-digest.ts";
import type { SoakMember } from "./population.ts";
import type { ReadersReport } from "./readers-report.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** The interval between two requests to `/readyz`, in milliseconds. */
const POLL_MS = 500;
/** The longest time the follower and the daemon may take to show the members at the end, in milliseconds. */
const SETTLE_MS = 60_000;

/**
 * A daemon on the same servers. Clients that stall, read slowly, pipeline, flood and idle misuse its endpoints during
 * the whole run. One well-behaved client follows it and checks every event.
 */
export class ReadDaemon implements AsyncDisposable {
  readonly #daemon: DaemonLife;
  readonly #url: string;
  readonly #clients: HostileClients;
  readonly #follower: CheckingFollower;
  readonly #over: AbortController = new AbortController();
  readonly #following: Promise<void>;
  readonly #polling: Promise<void>;
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
      .catch((error: unknown) => void this.#failures.push(`the follower was disconnected: ${String(error)}`));
    this.#polling = this.#poll();
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

  /**
   * Waits until the daemon shows the members that the servers list, or until the time for this is over. Then stops it.
   */
  async finish(members: Iterable<SoakMember>): Promise<ReadersReport> {
    const expected = digestOf(members);
    const startedAt = systemClock.monotonic();
    while (this.#shown !== expected && systemClock.monotonic() - startedAt < SETTLE_MS)
      await sleep(POLL_MS, { clock: systemClock });
    const differences = this.#shown === expected ? [] : [`the follower has ${this.#shown}, not ${expected}`];
    const broken = [...this.#follower.broken, ...this.#failures];
    this.#over.abort();
    await this.#clients[Symbol.asyncDispose]();
    await this.#polling;
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
    await Promise.all([this.#following, this.#polling]);
  }

  get #shown(): string {
    return digestOf(this.#follower.members.values());
  }

  /** Requests what health checks and monitoring request, until the run is over. */
  async #poll(): Promise<void> {
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
      await sleep(POLL_MS, { clock: systemClock });
    }
  }
}
