import { randomBytes } from "node:crypto";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Reason } from "@holdfast/core";
import { systemBeacons, type Beacons } from "./beacon.ts";
import { isErrno } from "./file-system.ts";

/** Marks a data folder as used by this process until it is disposed of. */
export interface FolderUse extends AsyncDisposable {
  /** Problems with the folder. None of them keeps the stores from working. */
  readonly reasons: readonly Reason[];
}

const BEACON = /^\.holdfast-[0-9a-f]+\.alive$/;

/**
 * Marks a folder as used and looks for other processes that use it, and for other users that may write to it. The mark
 * is set before the search, so when two processes start at the same time at least one finds the other. A folder that
 * does not exist has no reasons.
 */
export async function useFolder(folder: string, beacons: Beacons = systemBeacons): Promise<FolderUse> {
  const name = `.holdfast-${randomBytes(6).toString("hex")}.alive`;
  const beacon = await beacons.light(join(folder, name));
  const reasons = [...(await findOpenDoors(folder)), ...(await findOthers(folder, name, beacons))];
  return { reasons, [Symbol.asyncDispose]: async () => await beacon?.[Symbol.asyncDispose]() };
}

async function findOpenDoors(folder: string): Promise<readonly Reason[]> {
  // Windows has a different permission model, which Node does not expose.
  if (process.platform === "win32") return [];
  try {
    const { mode, uid } = await stat(folder);
    const self = process.geteuid?.() ?? uid;
    const isOpen = (mode & 0o022) !== 0;
    if (!isOpen && (uid === self || uid === 0)) return [];
    const why = isOpen
      ? `its mode is ${(mode & 0o7777).toString(8).padStart(4, "0")}`
      : `user ${uid} owns it`;
    const message = `other users may write to the data folder "${folder}" and can change what is stored: ${why}`;
    return [{ code: "CONNECTIVITY_INSECURE", message, details: { folder, mode: mode & 0o7777, uid } }];
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

async function findOthers(folder: string, own: string, beacons: Beacons): Promise<readonly Reason[]> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    if (name === own || !BEACON.test(name)) continue;
    const isLit = await beacons.isLit(join(folder, name));
    // The process of this beacon was killed.
    if (isLit === false) await unlink(join(folder, name)).catch(() => undefined);
    if (isLit !== true) continue;
    const message = `another process uses the data folder "${folder}"; each daemon needs a separate folder`;
    return [{ code: "STORE_CONFLICT", message, details: { folder } }];
  }
  return [];
}
