import { setTimeout as sleep } from "node:timers/promises";
import type { Figure } from "../measure.ts";
import { ClientsProcess } from "./clients-process.ts";
import type { DaemonProgram } from "./daemon-program.ts";
import { FollowedDaemon } from "./followed-daemon.ts";

const EVERY_MS = 100;

export interface FollowersOptions {
  readonly program: DaemonProgram;
  readonly members: number;
  /** How long the changes are measured, in milliseconds. */
  readonly durationMs: number;
}

/** Measures what following clients cost the daemon, while one member changes every 100 ms. */
export async function benchFollowers(
  clients: number,
  { program, members, durationMs }: FollowersOptions,
): Promise<readonly Figure[]> {
  await using daemon = await FollowedDaemon.start({ program, members, clients });
  await using process = new ClientsProcess();
  await process.open(clients, daemon.url);
  daemon.change(EVERY_MS);
  // Code is compiled and buffers are allocated during the first changes.
  await sleep(2_000);
  daemon.reset();
  process.reset();
  await sleep(durationMs);
  const measured = await daemon.measure();
  const { now } = await daemon.memoryMb();
  daemon.change(0);
  await sleep(500);
  const seen = await process.measure();
  if (seen.connected !== clients || seen.differing > 0)
    throw new Error(
      `${clients - seen.connected} clients were disconnected, ${seen.differing} have other events`,
    );
  const perClient = measured.cpuUs / measured.changes / clients;
  const name = (text: string) => `${clients.toLocaleString("en")} followers: ${text}`;
  return [
    {
      name: name("CPU of the daemon per change and client"),
      members,
      value: perClient,
      unit: "us",
      ...(clients < 5_000 && { goal: "<= 15 us", isMet: perClient <= 15 }),
    },
    {
      name: name("CPU of the clients per change and client"),
      members,
      value: seen.cpuUs / seen.events,
      unit: "us",
    },
    { name: name("bytes per change and client"), members, value: seen.bytes / seen.events, unit: "bytes" },
    {
      name: name("delay of the daemon's event loop, p99"),
      members,
      value: measured.delayP99Ms,
      unit: "ms",
      ...(clients >= 5_000 && { goal: "< 15 ms", isMet: measured.delayP99Ms < 15 }),
    },
    { name: name("longest turn of the event loop"), members, value: measured.longestTurnMs, unit: "ms" },
    {
      name: name("resident memory of the daemon"),
      members,
      value: now,
      unit: "MiB",
      ...(clients >= 5_000 && { goal: "< 300 MiB", isMet: now < 300 }),
    },
  ];
}

/** Measures what clients cost that all connect at the same moment. */
export async function benchConnecting(
  clients: number,
  { program, members }: Omit<FollowersOptions, "durationMs">,
): Promise<readonly Figure[]> {
  await using daemon = await FollowedDaemon.start({ program, members, clients });
  await using process = new ClientsProcess();
  daemon.change(EVERY_MS);
  await sleep(2_000);
  await daemon.resetPeak();
  daemon.reset();
  const ms = await process.open(clients, daemon.url);
  const { cpuUs, longestTurnMs } = await daemon.measure();
  const { peak } = await daemon.memoryMb();
  const cpuMs = cpuUs / 1_000 / clients;
  const name = (text: string) => `${clients.toLocaleString("en")} connect at once: ${text}`;
  return [
    {
      name: name("CPU of the daemon per client"),
      members,
      value: cpuMs,
      unit: "ms",
      goal: "<= 2 ms",
      isMet: cpuMs <= 2,
    },
    {
      name: name("all have the state"),
      members,
      value: ms,
      unit: "ms",
      goal: "<= 2,000 ms",
      isMet: ms <= 2_000,
    },
    {
      name: name("peak of resident memory"),
      members,
      value: peak,
      unit: "MiB",
      goal: "< 200 MiB",
      isMet: peak < 200,
    },
    {
      name: name("longest turn of the event loop"),
      members,
      value: longestTurnMs,
      unit: "ms",
      goal: "< 60 ms",
      isMet: longestTurnMs < 60,
    },
  ];
}
