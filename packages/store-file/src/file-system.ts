import * as fs from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ProvisioningError } from "@holdfast/core";

/**
 * The file system calls that the store uses. The interface is narrow so that tests can make every single call fail or
 * crash.
 */
export interface FileSystem {
  realpath(path: string): Promise<string>;
  readlink(path: string): Promise<string>;
  readFile(path: string): Promise<Uint8Array>;
  stat(path: string): Promise<FileFacts>;
  statfs(path: string): Promise<{ readonly type: number }>;
  readdir(path: string): Promise<readonly string[]>;
  mkdir(
    path: string,
    options: { readonly recursive: false; readonly mode: number },
  ): Promise<string | undefined>;
  open(path: string, flags: "r" | "wx", mode?: number): Promise<OpenFile>;
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export interface FileFacts {
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  isFile(): boolean;
}

export interface OpenFile {
  writeFile(bytes: Uint8Array): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const nodeFileSystem: FileSystem = fs;

/** 64 MiB: longer files of providers are neither written nor read. It is enough for tens of thousands of providers. */
export const MAX_BYTES = 67_108_864;

/**
 * Returns `undefined` when the file does not exist. Throws `STORE_CORRUPTED` for a file longer than `maxBytes`, and
 * `STORE_IO` for a path that is not a regular file, because reading a named pipe would never end.
 */
export async function readIfThere(
  fileSystem: FileSystem,
  path: string,
  maxBytes: number = MAX_BYTES,
): Promise<Uint8Array | undefined> {
  try {
    const facts = await fileSystem.stat(path);
    if (!facts.isFile()) {
      throw new ProvisioningError("STORE_IO", `"${path}" is not a regular file`, { details: { file: path } });
    }
    if (facts.size > maxBytes) {
      const message = `"${path}" is longer than ${maxBytes} bytes`;
      throw new ProvisioningError("STORE_CORRUPTED", message, { details: { file: path, maxBytes } });
    }
    return await fileSystem.readFile(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * Returns the path of the file that `path` leads to, with symbolic links followed, also when their target does not
 * exist yet. Replacing that file keeps the links.
 */
export async function resolveTarget(fileSystem: FileSystem, path: string): Promise<string> {
  try {
    return await fileSystem.realpath(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  let link: string;
  try {
    link = await fileSystem.readlink(path);
  } catch (error) {
    // The path does not exist, or a regular file appeared there in the meantime.
    if (isErrno(error, "ENOENT", "EINVAL")) return path;
    throw error;
  }
  const folder = await fileSystem.realpath(dirname(path));
  return await resolveTarget(fileSystem, resolve(folder, link));
}

/** Creates the folder and its missing parents, with access for this user only. */
export async function makeFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  if (!(await makeOne(fileSystem, folder))) return;
  await syncFolder(fileSystem, dirname(folder));
}

/**
 * Creates one folder at a time, because Node's `recursive` reports `ENOENT` on a read-only or full file system. Returns
 * false when the folder already exists.
 */
async function makeOne(fileSystem: FileSystem, folder: string): Promise<boolean> {
  const make = () => fileSystem.mkdir(folder, { recursive: false, mode: 0o700 });
  try {
    await make();
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) {
      if ((await fileSystem.stat(folder)).isFile())
        throw Object.assign(new Error("not a folder"), { code: "ENOTDIR", syscall: "mkdir" });
      return false;
    }
    const parent = dirname(folder);
    if (!isErrno(error, "ENOENT") || parent === folder) throw error;
    await makeFolder(fileSystem, parent);
    await make();
    return true;
  }
}

/** Makes files durable that were created, renamed or removed in the folder. */
export async function syncFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  // Windows cannot open a folder, so it cannot sync one.
  if (process.platform === "win32") return;
  const handle = await fileSystem.open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync a folder either; a rename there is as durable as it can be.
    if (!isErrno(error, "EINVAL", "ENOTSUP")) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * statfs(2) types of file systems that only one machine can have mounted: btrfs, ext, f2fs, overlay, tmpfs, xfs, zfs.
 */
const LOCAL_TYPES = new Set([0x9123683e, 0xef53, 0xf2f52010, 0x794c7630, 0x01021994, 0x58465342, 0x2fc12fc1]);

export async function isLocalFolder(fileSystem: FileSystem, folder: string): Promise<boolean> {
  return LOCAL_TYPES.has((await fileSystem.statfs(folder)).type);
}

/** True for an error of a system call with one of the codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => error.code === code);
}
