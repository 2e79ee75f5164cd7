import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import {
  isProvisioningError,
  ProvisioningError,
  sleep,
  systemClock,
  throwIfAborted,
  type Clock,
  type GenerationStore,
  type NextGenerationOptions,
} from "@holdfast/core";
import { readIfThere, resolveTarget } from "./file-system.ts";
import { replaceFile } from "./replace-file.ts";
import { toChangedError } from "./store-error.ts";
import { StoreTurns } from "./store-turns.ts";
import { createSideFiles, systemAccess, type SystemAccess } from "./system-access.ts";
import {
  decodeGeneration,
  encodeGeneration,
  isSameGeneration,
  NOTHING_GIVEN,
  type StoredGeneration,
} from "./stored-generation.ts";

export interface FileGenerationStoreOptions {
  /**
   * Path of the file. A symbolic link is followed and kept. A missing folder is created with access for this user only.
   */
  readonly path: string;
  /** The name of the setting that decides the path, such as `dataDir`. Error messages name it. */
  readonly setting?: string | undefined;
  /** Clock for the pauses between attempts while another process writes the file. @defaultValue systemClock */
  readonly clock?: Clock | undefined;
}

/**
 * Retries last about 5 s. Another process that starts on the same file needs a few milliseconds, or a second on a busy
 * disk.
 */
const ATTEMPTS = 100;
const RETRY_MS = 50;

/**
 * Keeps the newest generation in one small file that is replaced as a whole, safe against crashes and concurrent
 * processes. Calls run one at a time. Rejects with `STORE_CORRUPTED`, `STORE_IO`, or `STORE_CONFLICT` when another
 * process keeps writing the file during all attempts.
 */
export class FileGenerationStore implements GenerationStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #system: SystemAccess;
  readonly #turns: StoreTurns;
  readonly #instance: string = randomBytes(6).toString("hex");

  /** @internal The second parameter is for tests. */
  constructor(
    { path, setting, clock = systemClock }: FileGenerationStoreOptions,
    system: SystemAccess = systemAccess,
  ) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#clock = clock;
    this.#system = system;
  }

  next({ atLeast, signal }: NextGenerationOptions): Promise<number> {
    return this.#turns.run(async () => {
      for (let attempt = 1; ; attempt++) {
        throwIfAborted(signal);
        try {
          return await this.#take(atLeast);
        } catch (error) {
          const isConflict = isProvisioningError(error) && error.code === "STORE_CONFLICT";
          if (!isConflict || attempt === ATTEMPTS) throw error;
        }
        await sleep(RETRY_MS, { clock: this.#clock, signal });
      }
    });
  }

  async #take(atLeast: number): Promise<number> {
    const { fileSystem, processes } = this.#system;
    const target = await resolveTarget(fileSystem, this.#path);
    const current = await this.#read(target);
    const generation = Math.max(current.generation + 1, atLeast);
    // A number that could not be read back exactly must not be written.
    if (!Number.isSafeInteger(generation))
      throw new ProvisioningError("VALIDATION_MALFORMED", "the next generation is not a safe integer", {
        details: { file: this.#path },
      });
    const saves = current.saves + 1;
    const writer = await processes.self();
    await replaceFile({
      fileSystem,
      sideFiles: createSideFiles(this.#system, {
        file: this.#path,
        target,
        writer,
        instance: this.#instance,
      }),
      target,
      generation: saves,
      bytes: encodeGeneration({ saves, generation }),
      checkUnchanged: async () => {
        if (!isSameGeneration(await this.#read(target), current)) throw toChangedError(this.#path);
      },
    });
    return generation;
  }

  async #read(target: string): Promise<StoredGeneration> {
    const bytes = await readIfThere(this.#system.fileSystem, target);
    return bytes === undefined ? NOTHING_GIVEN : decodeGeneration(bytes, this.#path);
  }
}
