import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KnownGood, Random } from "@holdfast/core";
import { FileProviderStore, FileSnapshotStore } from "@holdfast/store-file";

/** All providers that can be configured, highest priority first. */
export const PROVIDER_IDS: readonly string[] = ["p0", "p1", "p2", "p3", "p4"];

/** A set of providers by their ids, highest priority first. */
export type IdSet = readonly string[];

const HEALTH = { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 200 };
/** Long enough for a busy machine. */
const VALIDATION = { probeTimeoutMs: 30_000 };

/** The folder of a daemon, with its configuration, topology files and stores. */
export class CrashFolder {
  readonly #path: string;
  #configured: IdSet | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(path: string): Promise<CrashFolder> {
    const folder = new CrashFolder(path);
    await mkdir(join(path, "providers"));
    for (const id of PROVIDER_IDS) {
      await folder.#replace(`providers/${id}.json`, folder.#descriptor(id));
      await folder.publish(id, [`${id}-first`]);
    }
    return folder;
  }

  get configFile(): string {
    return join(this.#path, "holdfast.json");
  }

  /** The folder of the daemon's stores; exists after the first start. */
  get dataFolder(): string {
    return join(this.#path, "data");
  }

  /** A file with one descriptor, for `holdfast providers add`. */
  descriptorFile(id: string): string {
    return join(this.#path, "providers", `${id}.json`);
  }

  /** The last argument of `configure`. */
  get configured(): IdSet | undefined {
    return this.#configured;
  }

  /** Writes the configuration. With `undefined` it names no providers, so the daemon uses the stored ones. */
  async configure(ids: IdSet | undefined): Promise<void> {
    this.#configured = ids;
    const providers = ids?.map((id) => this.#descriptor(id));
    await this.#replace("holdfast.json", {
      ...(providers !== undefined && { providers }),
      dataDir: "data",
      // As often as possible, so that kills also interrupt these saves.
      lastKnownGood: { saveEveryMs: 20 },
      health: HEALTH,
      validation: VALIDATION,
    });
  }

  /** Reads the stored set from a copy, because loading a store also removes its temporary files. Throws when it is damaged. */
  async storedIds(): Promise<IdSet> {
    const copy = join(this.#path, "copy.jsonl");
    await rm(copy, { force: true });
    await copyFile(join(this.dataFolder, "providers.jsonl"), copy).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    const stored = await new FileProviderStore({ path: copy }).load();
    return stored.map(({ id }) => id).sort();
  }

  /** Reads the last known good snapshot. Throws when it is damaged. */
  async lastKnownGood(): Promise<KnownGood | undefined> {
    return await new FileSnapshotStore({ path: join(this.dataFolder, "last-known-good.jsonl") }).load();
  }

  /** The temporary files and claims of interrupted saves. */
  async sideFiles(): Promise<readonly string[]> {
    const names = await readdir(this.dataFolder).catch(() => []);
    return names.filter((name) => name.startsWith("."));
  }

  /** Replaces the members in the topology file of a provider. */
  async publish(id: string, members: readonly string[]): Promise<void> {
    await this.#replace(`${id}.json`, {
      members: members.map((member) => ({ id: member, host: `${member}.test`, port: 7_000 })),
    });
  }

  /** The ids in the topology file of a provider, sorted. */
  async membersInFile(id: string): Promise<readonly string[]> {
    const document = JSON.parse(await readFile(join(this.#path, `${id}.json`), "utf8")) as {
      members: readonly { id: string }[];
    };
    return document.members.map((member) => member.id).sort();
  }

  #descriptor(id: string): object {
    const priority = PROVIDER_IDS.length - PROVIDER_IDS.indexOf(id);
    const params = { path: join(this.#path, `${id}.json`), pollMs: 100, settleMs: 20 };
    return { id, kind: "file", priority, params };
  }

  async #replace(name: string, document: object): Promise<void> {
    const path = join(this.#path, name);
    await writeFile(`${path}.new`, JSON.stringify(document));
    await rename(`${path}.new`, path);
  }
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** Picks at least one of the providers. */
export function pickSet(random: Random): IdSet {
  const ids = PROVIDER_IDS.filter(() => random() < 0.5);
  return ids.length === 0 ? [pick(random, PROVIDER_IDS)] : ids;
}
