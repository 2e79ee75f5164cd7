import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KnownGood, Random } from "@holdfast/core";
import { FileProviderStore, FileSnapshotStore } from "@holdfast/store-file";

/** All providers there may be, highest priority first. */
export const PROVIDER_IDS: readonly string[] = ["p0", "p1", "p2", "p3", "p4"];

/** A set of providers by their ids, highest priority first. */
export type IdSet = readonly string[];

const HEALTH = { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 200 };
/** A busy machine is no reason to refuse a provider. */
const VALIDATION = { probeTimeoutMs: 30_000 };

/** Configuration, topology files and store of a daemon. */
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

  /** Where the daemon keeps what outlives it; it is there after the first start. */
  get dataFolder(): string {
    return join(this.#path, "data");
  }

  /** A file that holds one descriptor, for `holdfast providers add`. */
  descriptorFile(id: string): string {
    return join(this.#path, "providers", `${id}.json`);
  }

  /** What `configure` was told last. */
  get configured(): IdSet | undefined {
    return this.#configured;
  }

  /** Names the providers in the configuration; undefined leaves them to the store. */
  async configure(ids: IdSet | undefined): Promise<void> {
    this.#configured = ids;
    const providers = ids?.map((id) => this.#descriptor(id));
    await this.#replace("holdfast.json", {
      ...(providers !== undefined && { providers }),
      dataDir: "data",
      // As often as it goes, so that kills hit that, too.
      lastKnownGood: { saveEveryMs: 20 },
      health: HEALTH,
      validation: VALIDATION,
    });
  }

  /** What is stored, by a copy: to load a store also tidies up beside it. Throws when it is damaged. */
  async storedIds(): Promise<IdSet> {
    const copy = join(this.#path, "copy.jsonl");
    await rm(copy, { force: true });
    await copyFile(join(this.dataFolder, "providers.jsonl"), copy).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    const stored = await new FileProviderStore({ path: copy }).load();
    return stored.map(({ id }) => id).sort();
  }

  /** The snapshot that is kept across restarts. Throws when it is damaged. */
  async lastKnownGood(): Promise<KnownGood | undefined> {
    return await new FileSnapshotStore({ path: join(this.dataFolder, "last-known-good.jsonl") }).load();
  }

  /** The temporary files and claims of saves that did not end. */
  async sideFiles(): Promise<readonly string[]> {
    const names = await readdir(this.dataFolder).catch(() => []);
    return names.filter((name) => name.startsWith("."));
  }

  /** Puts other members into a provider's topology file. */
  async publish(id: string, members: readonly string[]): Promise<void> {
    await this.#replace(`${id}.json`, {
      members: members.map((member) => ({ id: member, host: `${member}.test`, port: 7_000 })),
    });
  }

  /** What stands in the topology file, sorted. */
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

/** Some of the providers, at least one. */
export function pickSet(random: Random): IdSet {
  const ids = PROVIDER_IDS.filter(() => random() < 0.5);
  return ids.length === 0 ? [pick(random, PROVIDER_IDS)] : ids;
}
