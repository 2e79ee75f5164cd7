import { systemBeacons, type Beacons } from "./beacon.ts";
import { nodeFileSystem, type FileSystem } from "./file-system.ts";
import { SideFiles } from "./side-files.ts";
import { systemProcesses, type ProcessTable, type Writer } from "./writer.ts";

/** The parts of the operating system that a store uses. Tests replace them. */
export interface SystemAccess {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  /** How a process shows that it is alive. Without it, only the process id shows whether the process that holds a lock still runs. */
  readonly beacons?: Beacons | undefined;
}

export const systemAccess: SystemAccess = {
  fileSystem: nodeFileSystem,
  processes: systemProcesses,
  beacons: systemBeacons,
};

const NO_BEACONS: Beacons = { light: async () => undefined, isLit: async () => undefined };

export interface SideFilesPlace {
  /** The stored file as the user named it, for errors. */
  readonly file: string;
  /** `file` with symbolic links followed. */
  readonly target: string;
  readonly writer: Writer;
  /** Random; names the store. */
  readonly instance: string;
}

export function createSideFiles(system: SystemAccess, place: SideFilesPlace): SideFiles {
  const { fileSystem, processes, beacons = NO_BEACONS } = system;
  return new SideFiles({ fileSystem, processes, beacons, ...place });
}
