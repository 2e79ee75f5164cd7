import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { describe } from "vitest";
import { SELF } from "./traced-call.ts";

export interface TraceOptions {
  /** An empty folder, for a file for each thread. */
  readonly log: string;
  /** As strace's `-e trace=` has it. */
  readonly calls: string;
  /** Only calls on exactly these files count; `SELF` in them stands for the traced process. Left out: all. */
  readonly paths?: readonly string[];
  /** As strace's `-e inject=` has it. */
  readonly inject?: string;
}

export type TracedProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts a program under strace. The process is the program itself, with its pid, end and signals; the tracer stands
 * aside. The streams are closed when both have ended: then the log is whole.
 */
export function spawnTraced(command: readonly string[], options: TraceOptions): TracedProcess {
  // libuv's one worker then makes every call on files, so that an ordinal names one call.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1", UV_USE_IO_URING: "0" };
  return spawn("sh", ["-c", toScript(command, options)], { cwd: "/", env, stdio: "pipe" });
}

/**
 * `describe` for tests that trace. Where that cannot be done they are skipped, by name and with the reason; with
 * `HOLDFAST_REQUIRE_BACKENDS=1` it fails instead.
 */
export function describeTraced(name: string, body: () => void): void {
  const reason = whyNot();
  const title = reason === undefined ? name : `${name} (needs strace: ${reason})`;
  if (reason !== undefined && process.env["HOLDFAST_REQUIRE_BACKENDS"] === "1")
    throw new Error(`nothing may be skipped here: ${title}`);
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- the tests are the caller's
  describe.skipIf(reason !== undefined)(title, body);
}

/** Why nothing can be traced here; undefined when it can: a fault was injected. */
function whyNot(): string | undefined {
  const log = mkdtempSync(join(tmpdir(), "holdfast-strace-"));
  try {
    const inject = "getcwd:error=EIO:when=1";
    const script = toScript(["pwd", "-P"], { log, calls: "getcwd", inject });
    const { stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    const isInjected = readdirSync(log).some((name) =>
      readFileSync(join(log, name), "utf8").includes("(INJECTED)"),
    );
    return isInjected ? undefined : (stderr.trim().split("\n")[0] ?? "");
  } finally {
    rmSync(log, { recursive: true });
  }
}

function toScript(command: readonly string[], { log, calls, paths = [], inject }: TraceOptions): string {
  const words = ["strace", "-D", "-f", "-ff", "-qq", "-y", "-s", "0", "-o", join(log, "thread")];
  words.push("-e", `trace=${calls}`, ...paths.flatMap((path) => ["-P", path]));
  if (inject !== undefined) words.push("-e", `inject=${inject}`);
  // Much faster, but an injected signal would get lost.
  if (inject?.includes("signal=") !== true) words.push("--seccomp-bpf");
  words.push(...command);
  // proc_pid_stat(5): the start time is the 22nd field, the 20th after the command's name.
  const self = 'read -r stat </proc/$$/stat; set -- ${stat##*) }; self="$$-${20}"';
  return `${self}; exec ${words.map(quote).join(" ")}`;
}

/** For a shell, in which `$self` is the process's own name. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`).replaceAll(SELF, `'"$self"'`)}'`;
}
