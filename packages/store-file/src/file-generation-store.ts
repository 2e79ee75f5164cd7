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
import { createSideFiles, systemGround, type StoreGround } from "./store-ground.ts";
import {
  decodeGeneration,
  encodeGeneration,
  isSameGeneration,
  NOTHING_GIVEN,
  type StoredGeneration,
} from "./stored-generation.ts";

export interface FileGenerationStoreOptions {
  /** The file; a symbolic link stays one. A missing folder is created for this user alone. */
  readonly path: string;
  /** The name of the setting that decides the path, for errors, such as `dataDir`. */
  readonly setting?: string | undefined;
  /** Times the attempts while another process writes the file. @defaultValue systemClock */
  readonly clock?: Clock | undefined;
}

/** Another process that starts on the same file needs a few milliseconds, or on a busy disk a second. */
const ATTEMPTS = 100;
const RETRY_MS = 50;

/**
 * Keeps the newest generation in one small file that is replaced as a whole, safe against crashes and other processes. Calls run one at a
 * time. Rejects with `STORE_CORRUPTED`, `STORE_IO`, or, when another process goes on writing the file, `STORE_CONFLICT`.
 */
export class FileGenerationStore implements GenerationStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #ground: StoreGround;
  readonly #turns: StoreTurns;
  readonly #instance: string = randomBytes(6).toString("hex");

  /** @internal The second parameter is for tests. */
  constructor(
    { path, setting, clock = systemClock }: FileGenerationStoreOptions,
    ground: StoreGround = systemGround,
  ) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#clock = clock;
    this.#ground = ground;
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
    const { fileSystem, processes } = this.#ground;
    const target = await resolveTarget(fileSystem, this.#path);
    const current = await this.#read(target);
    const generation = Math.max(current.generation + 1, atLeast);
    // What could not be read back must not get into the file.
    if (!Number.isSafeInteger(generation))
      throw new ProvisioningError("VALIDATION_MALFORMED", "the next generation is not a safe integer", {
        details: { file: this.#path },
      });
    const saves = current.saves + 1;
    const writer = await processes.self();
    await replaceFile({
      fileSystem,
      sideFiles: createSideFiles(this.#ground, {
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
    const bytes = await readIfThere(this.#ground.fileSystem, target);
    return bytes === undefined ? NOTHING_GIVEN : decodeGeneration(bytes, this.#path);
  }
}
