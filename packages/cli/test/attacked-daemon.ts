import { rename } from "node:fs/promises";
import { CheckingFollower, HostileClients } from "@holdfast-apps/test-support";
import { sleep, systemClock } from "@holdfast/core";
import { DaemonProcess, MAIN, type DaemonLine } from "./daemon-process.ts";
import { member } from "./served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

export interface AttackOptions {
  readonly members: number;
  /** Heap limit of the daemon, in MiB. */
  readonly heapMb: number;
  /** Number of times that all members change during the attack. */
  readonly changes: number;
  /** Number of well-behaved clients. */
  readonly followers: number;
  readonly attack: (clients: HostileClients) => unknown;
  /** Called after each change as well. */
  readonly eachChange?: (clients: HostileClients) => unknown;
  /** `ulimit -n` of the daemon. @defaultValue the limit of this process */
  readonly descriptors?: number;
  /** Fields of `http` in the configuration. */
  readonly http?: Readonly<Record<string, unknown>>;
}

export interface AttackResult {
  /** Lines other than snapshots that the daemon printed after it was ready: there should be none. */
  readonly unexpected: readonly DaemonLine[];
  /** Errors of the followers: events out of order, or members that differ from the daemon's. */
  readonly broken: readonly string[];
  /** Duration of each `/readyz` request, in milliseconds. */
  readonly readyMs: readonly number[];
  /** Maximum resident memory of the process during the attack, and before it, in bytes. */
  readonly residentBytes: number;
  readonly residentBytesBefore: number;
  readonly disconnected: Readonly<Record<string, number>>;
  readonly code: number | null;
  readonly err: string;
}

/** Runs a daemon whose only provider changes all of its members repeatedly, under attack, and returns the results. */
export async function attackDaemon(options: AttackOptions): Promise<AttackResult> {
  const { heapMb, followers: count, http = {} } = options;
  using folder = new TemporaryFolder();
  const publish = async (generation: number) => {
    folder.write("next.json", toTopology(options.members, generation));
    await rename(folder.at("next.json"), folder.at("topology.json"));
  };
  await publish(0);
  const params = { path: "topology.json", pollMs: 200, settleMs: 20 };
  const config = folder.write("holdfast.yaml", {
    providers: [{ id: "primary", kind: "file", priority: 1, params }],
    // A busy machine may be slow to start the thread that reads the file, so only silence counts here.
    health: { lateSnapshotMs: 600_000 },
    validation: { probeTimeoutMs: 600_000 },
    http: { maxEventClients: 60, ...http },
  });
  const command = [`--max-old-space-size=${heapMb}`, MAIN, "run", "--config", config, "--port", "0"];
  const { descriptors } = options;
  await using daemon =
    descriptors === undefined
      ? new DaemonProcess(command).read()
      : new DaemonProcess([`--nofile=${descriptors}`, process.execPath, ...command], {
          program: "prlimit",
        }).read();
  await daemon.until(({ kind, to }) => kind === "status_changed" && to === "ready");
  const url = await daemon.url();
  const since = daemon.lines.length;
  const residentBytesBefore = await residentBytesOf(url);

  await using stack = new AsyncDisposableStack();
  const followers: CheckingFollower[] = [];
  for (let index = 0; index < count; index++) followers.push(stack.use(await CheckingFollower.open(url)));
  const clients = stack.use(new HostileClients(url));
  options.attack(clients);
  const readyMs: number[] = [];
  let residentBytes = residentBytesBefore;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      readyMs.push(await timeReady(url));
      residentBytes = Math.max(residentBytes, await residentBytesOf(url).catch(() => 0));
      await sleep(50, { clock: systemClock });
    }
  })();
  // The error is reported below; this prevents an unhandled rejection until then.
  watching.catch(() => undefined);
  try {
    for (let generation = 1; generation <= options.changes; generation++) {
      await publish(generation);
      options.eachChange?.(clients);
      await Promise.all(followers.map((follower) => follower.until((members) => isAt(members, generation))));
    }
  } finally {
    over.abort();
    await watching;
  }
  const disconnected = Object.fromEntries(clients.disconnected);
  await clients[Symbol.asyncDispose]();

  const topology: unknown = await (await fetch(`${url}/topology`)).json();
  const hash: unknown = Reflect.get(Object(topology), "hash");
  const memberCount: unknown = Reflect.get(Object(topology), "memberCount");
  const broken = followers.flatMap((follower, index) => [
    ...follower.broken,
    ...(follower.hash === hash ? [] : [`follower ${index} is not at the daemon's hash`]),
    ...(follower.states === 1 ? [] : [`follower ${index} received the state ${follower.states} times`]),
    ...(follower.members.size === memberCount ? [] : [`follower ${index} has a different number of members`]),
  ]);
  const unexpected = daemon.lines.slice(since).filter(({ kind }) => kind !== "snapshot");
  await stack.disposeAsync();
  daemon.signal("SIGTERM");
  const exit = await daemon.exit();
  return { unexpected, broken, readyMs, residentBytes, residentBytesBefore, disconnected, ...exit };
}

/** Lists everything that should not have happened; empty when the attack had no effect. */
export function toVerdict(
  result: AttackResult,
  { heapMb }: Pick<AttackOptions, "heapMb">,
): readonly string[] {
  const { unexpected, broken, readyMs, residentBytes, code, err } = result;
  const slowest = Math.max(...readyMs);
  const resident = residentBytes / MEBIBYTE;
  const most = heapMb + READER_MB + PROCESS_MB;
  return [
    ...unexpected.map((line) => `the daemon reported ${JSON.stringify(line).slice(0, 300)}`),
    ...broken,
    // Normally this takes milliseconds (RELIABILITY.md), but this machine may be busy, so only a harmful delay counts.
    ...(slowest < HEALTH_TIMEOUT_MS ? [] : [`/readyz took ${slowest} ms`]),
    ...(resident < most ? [] : [`the process had ${resident} MiB, more than ${most}`]),
    ...(code === 0 && err === "" ? [] : [`the daemon ended with ${code}: ${err}`]),
  ];
}

function mb(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}

/** Formats the figures for the report of a long run. */
export function toFigures({
  readyMs,
  residentBytes,
  residentBytesBefore,
  disconnected,
}: AttackResult): string {
  const sorted = readyMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
  const ready = `${sorted.length} x /readyz: median ${at(0.5)} ms, slowest ${at(1)} ms`;
  const memory = `${mb(residentBytesBefore)} MiB before, at most ${mb(residentBytes)} MiB`;
  return `${ready}; ${memory}; disconnected: ${JSON.stringify(disconnected)}`;
}

const MEBIBYTE = 1_048_576;
/** The default of `http.maxReaderMemoryMb`. */
const READER_MB = 128;
/** Memory of Node in addition to its old space, in MiB: code, young generation, buffers of files and sockets. */
const PROCESS_MB = 200;
/** A provider that sends nothing for this long counts as silent, in milliseconds. */
const HEALTH_TIMEOUT_MS = 15_000;
/** `failureThreshold` of a Kubernetes probe. */
const PROBE_ATTEMPTS = 3;

function toTopology(count: number, generation: number): object {
  const metadata = { generation: String(generation), text: "x".repeat(60) };
  return { members: Array.from({ length: count }, (_, index) => ({ ...member(`node-${index}`), metadata })) };
}

function isAt(members: ReadonlyMap<string, unknown>, generation: number): boolean {
  const [node] = members.values();
  const metadata: unknown = Reflect.get(Object(node), "metadata");
  return Reflect.get(Object(metadata), "generation") === String(generation);
}

/**
 * Measures the time of a `/readyz` request. A burst of more new connections than allowed may close a connection before
 * its request is read, so a lost connection is retried as often as the readiness probe of Kubernetes does by default.
 */
async function timeReady(url: string): Promise<number> {
  const startedAt = systemClock.monotonic();
  const response = await retryLost(() => fetch(`${url}/readyz`, { headers: { connection: "close" } }));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/readyz responded with ${response.status}: ${text}`);
  return systemClock.monotonic() - startedAt;
}

async function retryLost(request: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++)
    try {
      return await request();
    } catch (error) {
      if (attempt === PROBE_ATTEMPTS) throw error;
      await sleep(50, { clock: systemClock });
    }
}

async function residentBytesOf(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { connection: "close" } });
  const [, bytes = "0"] = /^process_resident_memory_bytes (\S+)$/m.exec(await response.text()) ?? [];
  return Number(bytes);
}
