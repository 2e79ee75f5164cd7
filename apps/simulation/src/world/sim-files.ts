import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { createClusterNode, MemberSet } from "@holdfast/core";
import type { FileSnapshotStore } from "@holdfast/store-file";
import type { SnapshotFault } from "../script/script.ts";

/** The file system calls that the snapshot store uses. */
export type FileSystem = NonNullable<ConstructorParameters<typeof FileSnapshotStore>[1]>;

/** The content of the file with the last known good snapshot. */
export interface FiledSnapshot {
  readonly providerId: string;
  readonly source: string;
  readonly confirmedAt: number;
  readonly members: MemberSet;
}

/** Path of the snapshot file. */
export const SNAPSHOT_PATH = "/var/lib/simulated/last-known-good.jsonl";

interface FileLine {
  readonly providerId: string;
  readonly source: string;
  readonly confirmedAt: number;
}

/** The files of the simulated machine, which exist longer than the service. */
export class SimFiles {
  /** Path to content. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** The faults of the next saves. */
  saveFaults: ("saveFailsBefore" | "saveFailsAfter")[] = [];
  loadFailures = 0;
  /** Number of times that the file was changed without the service. */
  tampers = 0;
  /** Waits as long as the disk does. */
  readonly #spinDisk: () => Promise<void>;
  #hanging: PromiseWithResolvers<void> | undefined;

  constructor(spinDisk: () => Promise<void>) {
    this.#spinDisk = spinDisk;
  }

  get isHanging(): boolean {
    return this.#hanging !== undefined;
  }

  /** The stored snapshot; undefined when there is no file, or a damaged one. */
  get snapshot(): FiledSnapshot | undefined {
    const bytes = this.files.get(SNAPSHOT_PATH);
    return bytes && readSnapshot(Buffer.from(bytes).toString());
  }

  cause(fault: SnapshotFault): void {
    const bytes = this.files.get(SNAPSHOT_PATH);
    if (fault === "damaged" || fault === "cut" || fault === "lost") this.tampers++;
    switch (fault) {
      case "saveFailsBefore":
      case "saveFailsAfter":
        this.saveFaults.push(fault);
        return;
      case "savesHang":
        this.#hanging ??= Promise.withResolvers();
        return;
      case "loadFails":
        this.loadFailures = 1;
        return;
      case "damaged": {
        if (bytes !== undefined) this.files.set(SNAPSHOT_PATH, damage(bytes));
        return;
      }
      case "cut":
        if (bytes !== undefined)
          this.files.set(SNAPSHOT_PATH, bytes.subarray(0, Math.floor(bytes.length / 2)));
        return;
      case "lost":
        this.files.delete(SNAPSHOT_PATH);
        return;
      case "none":
        this.heal();
    }
  }

  heal(): void {
    this.saveFaults = [];
    this.loadFailures = 0;
    this.#hanging?.resolve();
    this.#hanging = undefined;
  }

  /** Waits like a save waits for the disk. */
  async spin(): Promise<void> {
    await this.#hanging?.promise;
    await this.#spinDisk();
  }
}

/** The files as accessed by one life of the service. A call stops in the middle when that life ends. */
export function createFileSystem(files: SimFiles, whileAlive: () => Promise<void>): FileSystem {
  const { files: contents } = files;
  const read = (path: string, call: string): Uint8Array => {
    const content = contents.get(path);
    if (content === undefined) throw errorOf("ENOENT", call);
    return content;
  };
  const beginLoad = async (call: string): Promise<void> => {
    await whileAlive();
    if (files.loadFailures === 0) return;
    files.loadFailures--;
    throw errorOf("EIO", call);
  };
  return {
    async stat(path) {
      await beginLoad("stat");
      const { length: size } = read(path, "stat");
      return { size, uid: 0, gid: 0, isFile: () => true };
    },
    async readFile(path) {
      await whileAlive();
      return read(path, "read");
    },
    async realpath(path) {
      await whileAlive();
      read(path, "realpath");
      return path;
    },
    async readlink(path) {
      await whileAlive();
      read(path, "readlink");
      throw errorOf("EINVAL", "readlink");
    },
    async mkdir() {
      await whileAlive();
      return undefined;
    },
    async open(path, flags) {
      await whileAlive();
      if (flags === "r") return openFolder(files, whileAlive);
      if (files.saveFaults[0] === "saveFailsBefore") {
        files.saveFaults.shift();
        throw errorOf("ENOSPC", "open");
      }
      if (contents.has(path)) throw errorOf("EEXIST", "open");
      contents.set(path, new Uint8Array());
      return openFile(path, files, whileAlive);
    },
    async rename(from, to) {
      await files.spin();
      await whileAlive();
      if (dirname(from) !== dirname(to)) throw errorOf("EXDEV", "rename");
      contents.set(to, read(from, "rename"));
      contents.delete(from);
    },
    async unlink(path) {
      await whileAlive();
      if (!contents.delete(path)) throw errorOf("ENOENT", "unlink");
    },
    statfs: () => Promise.reject(errorOf("ENOSYS", "statfs")),
    async readdir(path) {
      await whileAlive();
      return [...contents.keys()].filter((file) => dirname(file) === path).map((file) => basename(file));
    },
    async link(existing, path) {
      await files.spin();
      await whileAlive();
      if (contents.has(path)) throw errorOf("EEXIST", "link");
      contents.set(path, read(existing, "link"));
    },
  };
}

type OpenFile = Awaited<ReturnType<FileSystem["open"]>>;

function openFile(path: string, files: SimFiles, whileAlive: () => Promise<void>): OpenFile {
  return {
    async writeFile(bytes) {
      await files.spin();
      await whileAlive();
      files.files.set(path, Buffer.concat([files.files.get(path) ?? new Uint8Array(), bytes]));
    },
    chown: () => Promise.resolve(),
    sync: whileAlive,
    close: whileAlive,
  };
}

function openFolder(files: SimFiles, whileAlive: () => Promise<void>): OpenFile {
  return {
    writeFile: () => Promise.reject(errorOf("EISDIR", "write")),
    chown: () => Promise.resolve(),
    async sync() {
      await files.spin();
      await whileAlive();
      if (files.saveFaults[0] !== "saveFailsAfter") return;
      files.saveFaults.shift();
      throw errorOf("EIO", "fsync");
    },
    close: whileAlive,
  };
}

function readSnapshot(text: string): FiledSnapshot | undefined {
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  const sealed = text.slice(0, end);
  const sum = createHash("sha256").update(sealed).digest("hex");
  if (text.slice(end) !== `${JSON.stringify({ sha256: sum })}\n`) return undefined;
  const [head = "", ...lines] = sealed.trimEnd().split("\n");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the checksum shows that it is unchanged
  const header = JSON.parse(head) as FileLine;
  const { providerId, source, confirmedAt } = header;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const nodes = lines.map((line) =>
    createClusterNode(JSON.parse(line) as { id: string; host: string; port: number }),
  );
  return { providerId, source, confirmedAt, members: MemberSet.from(nodes) };
}

function damage(bytes: Uint8Array): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  const middle = Math.floor(damaged.length / 2);
  damaged[middle] = damaged[middle]! ^ 1;
  return damaged;
}

function errorOf(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}
