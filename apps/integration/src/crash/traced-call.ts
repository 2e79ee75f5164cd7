import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Placeholder in paths for the pid and start time of the traced process. */
export const SELF = "PID-START";

/** One system call on a file of the folder. */
export interface TracedCall {
  /** For example `openat`. */
  readonly name: string;
  /** Number of the call among the calls of the thread with this name on this folder, from 1. */
  readonly ordinal: number;
  /** The files, relative to the folder, with pid and start time replaced by `SELF`. */
  readonly paths: readonly string[];
  readonly wasInjected: boolean;
}

export interface TraceToRead {
  /** The folder in which the tracer wrote one file for each thread. */
  readonly log: string;
  /** Only calls on this folder and its content are returned. */
  readonly folder: string;
  /** The pid of the traced process. */
  readonly pid: number;
}

/** Returns the calls of each thread on the folder; threads without such a call are left out. */
export async function readTrace({
  log,
  folder,
  pid,
}: TraceToRead): Promise<readonly (readonly TracedCall[])[]> {
  const threads: TracedCall[][] = [];
  for (const name of await readdir(log)) {
    const text = await readFile(join(log, name), "utf8");
    const calls = parseTrace(text, folder, pid);
    if (calls.length > 0) threads.push(calls);
  }
  return threads;
}

function parseTrace(text: string, folder: string, pid: number): TracedCall[] {
  const calls: TracedCall[] = [];
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const name = /^(\w+)\(/.exec(line)?.[1];
    const paths = pathsIn(line, folder, pid);
    if (name === undefined || name === "execve" || paths.length === 0) continue;
    const ordinal = (counts.get(name) ?? 0) + 1;
    counts.set(name, ordinal);
    calls.push({ name, ordinal, paths, wasInjected: line.endsWith("(INJECTED)") });
  }
  return calls;
}

/** Finds paths in quotes, which are arguments, and in angle brackets, which are the files of descriptors. */
function pathsIn(line: string, folder: string, pid: number): readonly string[] {
  const found = new Set<string>();
  for (const [, path = ""] of line.matchAll(/["<](\/[^"<>]*)[">]/g)) {
    if (path !== folder && !path.startsWith(`${folder}/`)) continue;
    // The socket that shows that a process is alive is not part of the save; another thread creates it.
    if (path.endsWith(".alive")) continue;
    found.add(path.slice(folder.length + 1).replace(new RegExp(`\\b${pid}-\\d+`), SELF));
  }
  return [...found];
}
