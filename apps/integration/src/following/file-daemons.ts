import { TemporaryFolder } from "@holdfast-apps/test-support";
import { DaemonLife, findFreePorts } from "@holdfast-apps/lab";
import type { ClusterNodeInput, ProviderSnapshot } from "@holdfast/core";
import { expect } from "vitest";

/** Members whose port is `version` in every tenth one, so that a new version changes those. */
export function membersOf(version: number, count = 300): readonly ClusterNodeInput[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `n${i}`,
    host: "10.0.0.1",
    port: i % 10 === 0 ? version : 1,
    metadata: { name: `ü ${i}` },
  }));
}

/** Daemon processes with a provider of the kind `file`, each on a port of its own that it keeps when it is started again. */
export class FileDaemons implements AsyncDisposable {
  readonly folder: TemporaryFolder = new TemporaryFolder();
  readonly ports: readonly number[];
  readonly #lives: DaemonLife[] = [];

  private constructor(ports: readonly number[]) {
    this.ports = ports;
  }

  static async create(count: number): Promise<FileDaemons> {
    return new FileDaemons(await findFreePorts(count));
  }

  get urls(): readonly string[] {
    return this.ports.map((port) => `http://127.0.0.1:${port}`);
  }

  /** Replaces the content of a topology file. */
  publish(members: readonly ClusterNodeInput[], file = "topology.json"): void {
    this.folder.replace(file, { members });
  }

  /** Starts the daemon with this number, and waits until it accepts connections. `settings` are added to its configuration. */
  async start(index: number, settings: object = {}): Promise<DaemonLife> {
    const providers = [fileProvider()];
    const dataDir = this.dataDir(index);
    const configuration = this.folder.write(`${index}.json`, { providers, dataDir, ...settings });
    const life = new DaemonLife(configuration, { port: this.ports[index]! });
    this.#lives.push(life);
    await life.url();
    return life;
  }

  dataDir(index: number): string {
    return this.folder.at(`data-${index}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const life of this.#lives) await life[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** A provider that notices a new file at once. */
export function fileProvider(path = "topology.json"): object {
  return { id: "file", kind: "file", priority: 10, params: { path, pollMs: 20, settleMs: 10 } };
}

/** Compares a follower with its daemon, member by member and hash by hash. `url` is that of the topology. */
export async function expectEqual(snapshot: ProviderSnapshot | undefined, url: string): Promise<void> {
  const response = await fetch(url);
  const { members, hash } = (await response.json()) as { members: unknown; hash: string };
  expect(snapshot?.hash).toBe(hash);
  expect(JSON.parse(JSON.stringify(snapshot?.members.toArray() ?? null))).toEqual(members);
}
