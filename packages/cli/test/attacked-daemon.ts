import { rename } from "node:fs/promises";
import { CheckingFollower, HostileClients } from "@holdfast-apps/test-support";
import { sleep, systemClock } from "@holdfast/core";
import { DaemonProcess, MAIN, type DaemonLine } from "./daemon-process.ts";
import { member } from "./served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

export interface AttackOptions {
  readonly members: number;
  /** Limit of the daemon's heap. */
  readonly heapMb: number;
  /** How often all members change while the clients attack. */
  readonly changes: number;
  /** Clients that do no harm. */
  readonly followers: number;
  readonly attack: (clients: HostileClients) => unknown;
  /** Called after each change as well. */
  readonly eachChange?: (clients: HostileClients) => unknown;
  /** `ulimit -n` of the daemon. @defaultValue as it is here */
  readonly descriptors?: number;
  /** Fields of `http` in the configuration. */
  readonly http?: Readonly<Record<string, unknown>>;
}

export interface AttackResult {
  /** What the daemon printed after it was ready: everything that changed what it believes. */
  readonly doubts: readonly DaemonLine[];
  /** What followers received out of order, and followers whose members are not the daemon's. */
  readonly broken: readonly string[];
  /** How long each `/readyz` took, in milliseconds. */
  readonly readyMs: readonly number[];
  /** Most memory the process had, and before the attack, in bytes. */
  readonly residentBytes: number;
  readonly residentBytesBefore: number;
  readonly disconnected: Readonly<Record<string, number>>;
  readonly code: number | null;
  readonly err: string;
}

/** Runs a daemon whose only provider changes all of its members again and again, under attack, and looks at what came of it. */
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
    // A busy machine may take long to start the thread that reads the file; only silence is of interest here.
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
  // Reported below; until then the failure has a handler.
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
    ...(follower.states === 1 ? [] : [`follower ${index} was sent the state ${follower.states} times`]),
    ...(follower.members.size === memberCount ? [] : [`follower ${index} has another count`]),
  ]);
  const doubts = daemon.lines.slice(since).filter(({ kind }) => kind !== "snapshot");
  await stack.disposeAsync();
  daemon.signal("SIGTERM");
  const exit = await daemon.exit();
  return { doubts, broken, readyMs, residentBytes, residentBytesBefore, disconnected, ...exit };
}

/** Everything that should not have happened; empty when the attack did no harm. */
export function toVerdict(
  result: AttackResult,
  { heapMb }: Pick<AttackOptions, "heapMb">,
): readonly string[] {
  const { doubts, broken, readyMs, residentBytes, code, err } = result;
  const slowest = Math.max(...readyMs);
  const resident = residentBytes / MEBIBYTE;
  const most = heapMb + READER_MB + PROCESS_MB;
  return [
    ...doubts.map((line) => `the daemon reported ${JSON.stringify(line).slice(0, 300)}`),
    ...broken,
    // A quick one takes milliseconds (RELIABILITY.md), but this machine may be busy: so only what would do harm counts.
    ...(slowest < HEALTH_TIMEOUT_MS ? [] : [`/readyz took ${slowest} ms`]),
    ...(resident < most ? [] : [`the process had ${resident} MiB, more than ${most}`]),
    ...(code === 0 && err === "" ? [] : [`the daemon ended with ${code}: ${err}`]),
  ];
}

function mb(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}

/** In words, for the report of a long run. */
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
/** What Node needs besides its old space: code, young generation, buffers of files and sockets. */
const PROCESS_MB = 200;
/** After this long without a sign of life a provider counts as silent. */
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
 * The time until `/readyz` answers. A burst of more new connections than are allowed may close a connection before its request
 * is read, so a lost connection is tried again as often as the readiness probe of Kubernetes does by default.
 */
async function timeReady(url: string): Promise<number> {
  const startedAt = systemClock.monotonic();
  const response = await retryLost(() => fetch(`${url}/readyz`, { headers: { connection: "close" } }));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/readyz answered ${response.status}: ${text}`);
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
