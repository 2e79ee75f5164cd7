import {
  ProvisioningError,
  sleep,
  type Clock,
  type ProviderDescriptor,
  type ProviderStore,
} from "@holdfast/core";
import type { DiskFault } from "../script/script.ts";
import { neverSettles } from "./never-settles.ts";

type SaveFault = Extract<DiskFault, "saveFailsBefore" | "saveFailsAfter">;

/** The stored set of providers, which exists longer than the service. A write is complete or has no effect. */
export class SimDisk {
  readonly #clock: Clock;
  /** The stored JSON. */
  text = "[]";
  /** Number of writes by any process. */
  version = 0;
  latencyMs = 0;
  saveFaults: SaveFault[] = [];
  loadFailures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get set(): readonly ProviderDescriptor[] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only stores of this disk write it
    return JSON.parse(this.text) as readonly ProviderDescriptor[];
  }

  cause(fault: DiskFault, foreign: readonly ProviderDescriptor[]): void {
    switch (fault) {
      case "saveFailsBefore":
      case "saveFailsAfter":
        this.saveFaults.push(fault);
        return;
      case "conflict":
        return this.write(JSON.stringify(foreign));
      case "loadFails":
        this.loadFailures = 1;
        return;
      case "slow":
        this.latencyMs = 400;
        return;
      case "fast":
        this.latencyMs = 0;
        return;
    }
  }

  heal(): void {
    this.saveFaults = [];
    this.loadFailures = 0;
    this.latencyMs = 0;
  }

  write(text: string): void {
    this.text = text;
    this.version++;
  }

  async spin(): Promise<void> {
    if (this.latencyMs > 0) await sleep(this.latencyMs / 2, { clock: this.#clock });
  }
}

/** The disk as accessed by one life of the service. */
export class SimStore implements ProviderStore {
  readonly #disk: SimDisk;
  readonly #isAlive: () => boolean;
  readonly #onAccess: (what: string) => void;
  /** The version of the disk this life last loaded or saved. */
  seenVersion: number | undefined;
  /** The result of the last load. */
  loaded: readonly ProviderDescriptor[] = [];

  constructor(disk: SimDisk, isAlive: () => boolean, onAccess: (what: string) => void) {
    this.#disk = disk;
    this.#isAlive = isAlive;
    this.#onAccess = onAccess;
  }

  async load(): Promise<readonly ProviderDescriptor[]> {
    const disk = this.#disk;
    await this.#spin();
    if (disk.loadFailures > 0) {
      disk.loadFailures--;
      this.#onAccess("load fails");
      throw new ProvisioningError("STORE_IO", "the disk cannot be read");
    }
    this.seenVersion = disk.version;
    this.#onAccess("load");
    this.loaded = disk.set;
    return this.loaded;
  }

  async save(all: readonly ProviderDescriptor[]): Promise<void> {
    const disk = this.#disk;
    const text = JSON.stringify(all);
    await this.#spin();
    const fault = disk.saveFaults.shift();
    if (fault === "saveFailsBefore") {
      this.#onAccess("save fails");
      throw new ProvisioningError("STORE_IO", "the disk is full");
    }
    if (this.seenVersion !== disk.version) {
      this.#onAccess("save conflicts");
      throw new ProvisioningError("STORE_CONFLICT", "another process saved");
    }
    disk.write(text);
    this.seenVersion = disk.version;
    this.#onAccess(`save ${describeSet(all)}`);
    await this.#spin();
    if (fault === "saveFailsAfter") throw new ProvisioningError("STORE_IO", "the folder cannot be synced");
  }

  /** A killed process does not continue. */
  async #spin(): Promise<void> {
    await this.#disk.spin();
    if (!this.#isAlive()) await neverSettles();
  }
}

/** Describes the set for the trace: ids, priorities and definitions. */
export function describeSet(set: readonly ProviderDescriptor[]): string {
  const entries = set.map(({ id, priority, params, disabled }) => {
    const verdict = disabled === undefined ? "" : " disabled";
    return `${id}@${priority} ${JSON.stringify(params)}${verdict}`;
  });
  return `{${entries.join("; ")}}`;
}
