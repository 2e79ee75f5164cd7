import { FileGenerationStore } from "@holdfast/store-file";
import type { LifeClock } from "./life-clock.ts";
import { createFileSystem, type SimFiles } from "./sim-files.ts";

type SystemAccess = NonNullable<ConstructorParameters<typeof FileGenerationStore>[1]>;
type ProcessTable = SystemAccess["processes"];

export interface SimGenerationStoreOptions {
  /** Exist longer than the service. */
  readonly files: SimFiles;
  readonly clock: LifeClock;
  /** The number of the life, which is also its process id. */
  readonly number: number;
  /** Never resolves for a life that has ended. */
  readonly whileAlive: () => Promise<void>;
}

const GENERATION_PATH = "/var/lib/simulated/generation.json";

/**
 * The real store on simulated files. A life that is killed during a call leaves its temporary files and its claim
 * behind.
 */
export function createSimGenerationStore(options: SimGenerationStoreOptions): FileGenerationStore {
  const { files, clock, number, whileAlive } = options;
  const system: SystemAccess = {
    fileSystem: createFileSystem(files, whileAlive),
    processes: createProcesses(number),
  };
  return new FileGenerationStore({ path: GENERATION_PATH, clock }, system);
}

/** There is one life at a time; earlier ones can never run again. */
function createProcesses(number: number): ProcessTable {
  const place = { startTime: "", host: "simulated", bootId: "", pidNamespace: "" };
  return {
    self: async () => ({ pid: number, ...place }),
    isGone: async ({ pid }) => pid < number,
  };
}
