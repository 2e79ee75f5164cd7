import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Stands in paths for what names the traced process: its pid and start time. */
export const SELF = "PID-START";

/** One system call on the folder that is looked at. */
export interface TracedCall {
  /** Such as `openat`. */
  readonly name: string;
  /** Which of the thread's calls of this name on this folder it is, from 1. */
  readonly ordinal: number;
  /** The files concerned, relative to the folder, without what differs from process to process. */
  readonly paths: readonly string[];
  readonly wasInjected: boolean;
}

export interface TraceToRead {
  /** Where the tracer wrote a file for each thread. */
  readonly log: string;
  /** Calls on anything below it count. */
  readonly folder: string;
  /** Of the traced process. */
  readonly pid: number;
}

/** What each thread did in the folder; threads that did nothing there are left out. */
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

/** Quoted where they are arguments, in angle brackets where they are what a descriptor is open on. */
function pathsIn(line: string, folder: string, pid: number): readonly string[] {
  const found = new Set<string>();
  for (const [, path = ""] of line.matchAll(/["<](\/[^"<>]*)[">]/g)) {
    if (path !== folder && !path.startsWith(`${folder}/`)) continue;
    // Sockets that show that a process is alive are no part of the save; another thread makes them.
    if (path.endsWith(".alive")) continue;
    found.add(path.slice(folder.length + 1).replace(new RegExp(`\\b${pid}-\\d+`), SELF));
  }
  return [...found];
}
