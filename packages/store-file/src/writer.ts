import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import * as z from "zod";

/** A process that saves. What the platform does not tell is an empty string. */
export interface Writer {
  readonly pid: number;
  /** In the kernel's ticks since boot: tells a process from a later one with the same pid. */
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

/** Names where a pid means something: the same host, boot and pid namespace have the same place. */
export function placeOf({ host, bootId, pidNamespace }: Writer): string {
  return createHash("sha256").update(`${host}\n${bootId}\n${pidNamespace}`).digest("hex").slice(0, 12);
}

/** The processes of this machine, as the store asks about them. */
export interface ProcessTable {
  /** This process. */
  self(): Promise<Writer>;
  /** True only when the process can never run again. It must be one of this place. */
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
      // EPERM: it is there, and somebody else's.
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

/** From proc_pid_stat(5); undefined where there is none. */
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
