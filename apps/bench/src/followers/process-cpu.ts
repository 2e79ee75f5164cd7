import { readFile } from "node:fs/promises";

/** Ticks of a second, in which Linux counts processor time (`USER_HZ`). */
const TICK_US = 10_000;

/** The processor time that a process has used, in microseconds. Only on Linux. */
export async function readCpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name of the program is in brackets and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [fields[11], fields[12]].map(Number);
  return (user! + system!) * TICK_US;
}
