import { readFileSync } from "node:fs";

/** Used where the system does not report the limit of open files. */
const ASSUMED_LIMIT = 1_024;

/**
 * Returns the maximum number of descriptors of this process (`ulimit -n`). Node has already raised the soft limit to
 * the hard one.
 */
export function readDescriptorLimit(): number {
  try {
    return parseDescriptorLimit(readFileSync("/proc/self/limits", "utf8")) ?? ASSUMED_LIMIT;
  } catch {
    return ASSUMED_LIMIT;
  }
}

/** Parses the soft limit in the text of `/proc/self/limits`. */
export function parseDescriptorLimit(text: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(text) ?? [];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Infinity : Number(soft);
}
