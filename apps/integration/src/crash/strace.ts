import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { describe } from "vitest";
import { SELF } from "./traced-call.ts";

export interface TraceOptions {
  /** An empty folder, in which strace writes one file for each thread. */
  readonly log: string;
  /** The value for strace's `-e trace=`. */
  readonly calls: string;
  /** Only calls on exactly these files are traced; `SELF` in them is replaced by the traced process. @defaultValue all files */
  readonly paths?: readonly string[];
  /** The value for strace's `-e inject=`. */
  readonly inject?: string;
}

export type TracedProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts a program under strace. The returned process is the program, not the tracer: it has its pid, exit code and signals. The streams
 * are closed when both have ended; the log is then complete.
 */
export function spawnTraced(command: readonly string[], options: TraceOptions): TracedProcess {
  // With one worker thread of libuv all file calls are in one thread, so an ordinal identifies one call.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1", UV_USE_IO_URING: "0" };
  return spawn("sh", ["-c", toScript(command, options)], { cwd: "/", env, stdio: "pipe" });
}

/**
 * `describe` for tests that trace. Where tracing is not possible, the tests are skipped, and the title says why. With
 * `HOLDFAST_REQUIRE_BACKENDS=1` this throws instead.
 */
export function describeTraced(name: string, body: () => void): void {
  const reason = whyNot();
  const title = reason === undefined ? name : `${name} (needs strace: ${reason})`;
  if (reason !== undefined && process.env["HOLDFAST_REQUIRE_BACKENDS"] === "1")
    throw new Error(`HOLDFAST_REQUIRE_BACKENDS=1 forbids to skip: ${title}`);
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- title and body come from the caller
  describe.skipIf(reason !== undefined)(title, body);
}

/** Returns why tracing is not possible; `undefined` when injecting a fault works. */
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
  // Much faster, but it would drop an injected signal.
  if (inject?.includes("signal=") !== true) words.push("--seccomp-bpf");
  words.push(...command);
  // proc_pid_stat(5): the start time is field 22, the 20th after the name of the command.
  const self = 'read -r stat </proc/$$/stat; set -- ${stat##*) }; self="$$-${20}"';
  return `${self}; exec ${words.map(quote).join(" ")}`;
}

/** Quotes a word for a shell in which `$self` identifies the process. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`).replaceAll(SELF, `'"$self"'`)}'`;
}
