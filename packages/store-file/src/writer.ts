import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import * as z from "zod";

/** Identifies a process that saves. A field that the platform does not provide is an empty string. */
export interface Writer {
  readonly pid: number;
  /** In the kernel's ticks since boot. Distinguishes a process from a later one with the same pid. */
  readonly startTime: string;
  readonly host: string;
  readonly bootId: string;
  readonly pidNamespace: string;
}

export const writerSchema: z.ZodType<Writer> = z.object({
  pid: z.int().min(1),
  startTime: z.string(),
  host: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
});

/** Identifies the scope in which a pid is unique: the same host, boot and pid namespace give the same place. */
export function placeOf({ host, bootId, pidNamespace }: Writer): string {
  return createHash("sha256").update(`${host}\n${bootId}\n${pidNamespace}`).digest("hex").slice(0, 12);
}

/** What the store needs to know about the processes of this machine. */
export interface ProcessTable {
  self(): Promise<Writer>;
  /** True only when the process can never run again. The process must have the same place as this one. */
  isGone(process: Pick<Writer, "pid" | "startTime">): Promise<boolean>;
}

export const systemProcesses: ProcessTable = {
  async self() {
    const isOurProc = (await readText(() => readlink("/proc/self"))) === String(process.pid);
    return {
      pid: process.pid,
      startTime: isOurProc ? ((await readProcess(process.pid))?.startTime ?? "") : "",
      host: hostname(),
      bootId: await readText(() => readFile("/proc/sys/kernel/random/boot_id", "utf8")),
      pidNamespace: await readText(() => readlink("/proc/self/ns/pid")),
    };
  },

  async isGone({ pid, startTime }) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      // EPERM: the process exists and belongs to another user.
      if (error instanceof Error && "code" in error && error.code === "ESRCH") return true;
    }
    const found = startTime === "" ? undefined : await readProcess(pid);
    if (found === undefined) return false;
    return found.startTime !== startTime || found.isOver;
  },
};

interface ProcessStatus {
  readonly startTime: string;
  readonly isOver: boolean;
}

/** Reads `/proc/PID/stat`, see proc_pid_stat(5). Returns `undefined` where it does not exist. */
async function readProcess(pid: number): Promise<ProcessStatus | undefined> {
  const stat = await readText(() => readFile(`/proc/${pid}/stat`, "utf8"));
  // The second field, the command's name, is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, threads, startTime] = [fields[0], fields[17], fields[19]];
  if (state === undefined || startTime === undefined) return undefined;
  // A zombie with other threads left may still be inside a system call.
  return { startTime, isOver: state === "X" || (state === "Z" && Number(threads) <= 1) };
}

async function readText(read: () => Promise<string>): Promise<string> {
  try {
    return (await read()).trim();
  } catch {
    return "";
  }
}
