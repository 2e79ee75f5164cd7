import { readFileSync } from "node:fs";

/** Where the system does not say how many files a process may open. */
const ASSUMED_LIMIT = 1_024;

/** How many descriptors this process may have (`ulimit -n`); Node has raised the soft limit to the hard one by now. */
export function readDescriptorLimit(): number {
  try {
    return parseDescriptorLimit(readFileSync("/proc/self/limits", "utf8")) ?? ASSUMED_LIMIT;
  } catch {
    return ASSUMED_LIMIT;
  }
}

/** The soft limit in the text of `/proc/self/limits`. */
export function parseDescriptorLimit(text: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(text) ?? [];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Infinity : Number(soft);
}
