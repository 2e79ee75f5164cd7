import { systemBeacons, type Beacons } from "./beacon.ts";
import { nodeFileSystem, type FileSystem } from "./file-system.ts";
import { SideFiles } from "./side-files.ts";
import { systemProcesses, type ProcessTable, type Writer } from "./writer.ts";

/** The parts of the system that a store with claims uses. Tests pass others. */
export interface StoreGround {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  /** Left out: there are no beacons, and only process ids tell whether a process is alive. */
  readonly beacons?: Beacons | undefined;
}

export const systemGround: StoreGround = {
  fileSystem: nodeFileSystem,
  processes: systemProcesses,
  beacons: systemBeacons,
};

const NO_BEACONS: Beacons = { light: async () => undefined, isLit: async () => undefined };

export interface SideFilesPlace {
  /** The stored file as the user named it, for errors. */
  readonly file: string;
  /** The same with symbolic links followed. */
  readonly target: string;
  readonly writer: Writer;
  /** Random; names the store. */
  readonly instance: string;
}

export function createSideFiles(ground: StoreGround, place: SideFilesPlace): SideFiles {
  const { fileSystem, processes, beacons = NO_BEACONS } = ground;
  return new SideFiles({ fileSystem, processes, beacons, ...place });
}
