import { randomUUID } from "node:crypto";
import { sleep, untilAborted } from "@holdfast/core";
import { useFolder } from "@holdfast/store-file";
import type { Directory } from "holdfast";
import { collectDefaultMetrics, Counter, Registry } from "prom-client";
import packageJson from "../../package.json" with { type: "json" };
import { AdapterFaults } from "../adapters/adapter-faults.ts";
import { auditHttp } from "../config/audit-http.ts";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { EXIT_CODE } from "../exit-code.ts";
import { LineWriter } from "../output/line-writer.ts";
import { createPaint } from "../output/paint.ts";
import type { HttpServer } from "../server/http-server.ts";
import type { Terminal } from "../terminal.ts";
import { acceptRemovals } from "./accept-removals.ts";
import { assertStoresIntact } from "./assert-stores-intact.ts";
import { ConfigReload } from "./config-reload.ts";
import { createDirectory, toDefinition } from "./create-directory.ts";
import { DaemonOutput } from "./daemon-output.ts";
import { DaemonSignals } from "./daemon-signals.ts";
import { toServerDirectory } from "./directory-view.ts";
import { FaultReport } from "./fault-report.ts";
import { toGreeting } from "./greeting.ts";
import { StaleSnapshots } from "./stale-snapshots.ts";
import { OutputTrouble } from "./output-trouble.ts";
import { LogPrinter } from "./log-printer.ts";

export interface DaemonOptions {
  /** The configuration file. */
  readonly configFile: string;
  /** True: print NDJSON instead of text. @defaultValue false */
  readonly isJson?: boolean | undefined;
  /** Overrides `http.port` of the configuration; 0 selects any free port. */
  readonly port?: number | undefined;
  readonly terminal: Terminal;
  /**
   * Returns additional lines of text, printed after the first lines. Receives the URL of the endpoints, if there are
   * any.
   */
  readonly hints?: ((url: string | undefined) => readonly string[]) | undefined;
}

/** Longest time that a slow reader of standard output can delay the end, in milliseconds. */
const FLUSH_MS = 1_000;

/**
 * Runs the service of a configuration until it is stopped, and returns the exit code. Throws the error that prevents
 * the start: `VALIDATION_*` for the configuration, `LIFECYCLE_LISTEN_FAILED`, or an error of
 * `Directory.start`. Also throws an error that was thrown outside of any call and not caused by an adapter,
 * after which the daemon cannot continue.
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { terminal, isJson = false } = options;
  const { clock, stdout, stderr, env } = terminal;
  const err = new LineWriter(stderr, clock);
  const trouble = new OutputTrouble({ err, clock, isJson });
  const writer = new LineWriter(stdout, clock, trouble);
  const paint = createPaint({ isTty: stdout.isTTY === true, env });
  const output = new DaemonOutput({ writer, paint, clock, isJson });
  trouble.output = output;

  using signals = new DaemonSignals(terminal);
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    if (!signals.shutdown.aborted) failures.push(error);
    signals.requestShutdown();
  };
  const faults = new AdapterFaults();
  const faultReport = new FaultReport({ faults, output, clock, fail });
  using _ = terminal.onFault((error) => faultReport.receive(error));

  // Daemons that follow each other in a circle recognize their own content by it.
  const instance = randomUUID();
  const loading = loadConfig(options.configFile, { cwd: terminal.cwd, instance, faults });
  const loaded = await untilStopped(loading, signals.shutdown);
  if (failures.length > 0) throw failures[0];
  if (loaded === undefined) return EXIT_CODE.ok;
  const { file, dataDir, config } = loaded;
  const { drainMs } = config.shutdown;
  const metrics = createMetrics(() => writer.dropped);
  await using directory = createDirectory(loaded, metrics, terminal);
  directory.on("warning", (warning) => output.warning(warning));
  await using server = await listen(loaded, { directory, metrics, instance }, options);

  const { pid } = terminal;
  const { version } = packageJson;
  const url = server?.url;
  const topologies = loaded.topologies.map(({ name }) => name);
  output.greet({ version, file, dataDir, topologies, url, pid }, [
    ...toGreeting({ version, loaded, url, pid, paint }),
    ...(options.hints?.(url) ?? []),
  ]);
  if (server !== undefined) for (const reason of auditHttp(server.boundAddress)) output.warning(reason);
  const printer = new LogPrinter({ directory, output, onFailure: fail });
  const starting = directory.start(toDefinition(loaded));
  printer.start();
  // A damaged store is for a person to repair, so it stops the start, also when other topologies could start.
  const startup = Promise.all([starting, assertStoresIntact(loaded)]).catch(fail);
  // The start creates the folder if it is missing.
  const folderUse = startup.then(() => useFolder(dataDir));
  void folderUse.then(({ reasons }) => reasons.forEach((reason) => output.warning(reason))).catch(fail);
  const snapshots = new StaleSnapshots({
    dataDir,
    clock,
    isInUse: (name) => directory.find(name) !== undefined,
  });
  void startup.then(() => snapshots.remove());
  directory.onChange(({ type }) => type === "disappeared" && void snapshots.remove());
  const reload = new ConfigReload({ loaded, directory, output });
  signals.onHangup = () => void startup.then(() => reload.request());
  signals.onAccept = () => acceptRemovals(directory, output);
  await untilAborted(new Promise(() => {}), signals.shutdown).catch(() => {});

  const hasFailed = failures.length > 0;
  if (!hasFailed) {
    const text = `consumers have up to ${drainMs} ms to drain`;
    output.note({ kind: "shutting_down", facts: { drainMs }, text });
  }
  const { unfinished } = await directory.close({ deadlineMs: drainMs });
  void folderUse.then((use) => use[Symbol.asyncDispose]()).catch(() => undefined);
  const isPrinted = await isDoneWithin(FLUSH_MS, printer.end(), terminal);
  await server?.[Symbol.asyncDispose]();
  for (const what of unfinished) output.note({ kind: "unfinished", facts: { what }, text: what });
  const code = unfinished.length === 0 && !hasFailed ? EXIT_CODE.ok : EXIT_CODE.failure;
  output.note({
    kind: "stopped",
    facts: { unfinished },
    text: toFinalText(hasFailed, unfinished),
  });
  // Neither unread output nor a hanging call may keep the process running.
  const isFlushed = isPrinted && (await isDoneWithin(FLUSH_MS, writer.flush(), terminal));
  trouble.reportRest(writer.dropped);
  await isDoneWithin(FLUSH_MS, err.flush(), terminal);
  if (!isFlushed || unfinished.length > 0) terminal.exit(code);
  if (hasFailed) throw failures[0];
  return code;
}

/**
 * Returns `undefined` when the daemon is stopped before the configuration is loaded, because a file system or a module
 * may not respond.
 */
async function untilStopped(
  loading: Promise<LoadedConfig>,
  shutdown: AbortSignal,
): Promise<LoadedConfig | undefined> {
  try {
    return await untilAborted(loading, shutdown);
  } catch (error) {
    if (shutdown.aborted) return undefined;
    throw error;
  }
}

function createMetrics(dropped: () => number): Registry {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const lines = new Counter({
    name: "holdfast_output_lines_dropped_total",
    help: "Lines of standard output that could not be written.",
    registers: [metrics],
    collect() {
      lines.reset();
      lines.inc(dropped());
    },
  });
  return metrics;
}

function toFinalText(isFailure: boolean, unfinished: readonly string[]): string {
  if (isFailure) return "an error prevents it from continuing";
  return unfinished.length === 0 ? "all consumers are drained" : "not all consumers were drained in time";
}

interface Served {
  readonly directory: Directory;
  readonly metrics: Registry;
  readonly instance: string;
}

async function listen(
  { config }: LoadedConfig,
  { directory, metrics, instance }: Served,
  { port, terminal }: DaemonOptions,
): Promise<HttpServer | undefined> {
  const { http, log } = config;
  if (http === false) return undefined;
  const { clock } = terminal;
  const { HttpServer } = await import("../server/http-server.ts");
  const maxLag = log.retainedEvents;
  const served = toServerDirectory(directory, metrics);
  return HttpServer.listen({
    ...http,
    port: port ?? http.port,
    directory: served,
    instance,
    clock,
    maxLag,
  });
}

async function isDoneWithin(limitMs: number, work: Promise<void>, { clock }: Terminal): Promise<boolean> {
  const done = new AbortController();
  const late = sleep(limitMs, { clock, signal: done.signal }).then(
    () => false,
    () => true,
  );
  const result = await Promise.race([work.then(() => true), late]);
  done.abort();
  return result;
}
