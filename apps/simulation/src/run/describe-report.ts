import { describeScript } from "../script/describe-script.ts";
import type { Script } from "../script/script.ts";
import type { RunOutcome } from "./run-script.ts";
import type { SeedsReport } from "./run-seeds.ts";

const HOUR_MS = 3_600_000;

/** One line: how much was run, how fast, and what came of it. */
export function describeReport({ seeds, virtualMs, events, tookMs, failures }: SeedsReport): string {
  const seconds = tookMs / 1_000;
  const rate = (amount: number) => Math.round(amount / seconds).toLocaleString("en");
  return [
    `${seeds.toLocaleString("en")} seeds`,
    `${(virtualMs / HOUR_MS).toFixed(1)} virtual hours`,
    `${events.toLocaleString("en")} events`,
    `${seconds.toFixed(1)} s`,
    `${rate(seeds)} seeds/s`,
    `${rate(events)} events/s`,
    `${failures.length} failed`,
  ].join(", ");
}

/** What broke, in one line. */
export function describeFailure({ seed, violation }: RunOutcome): string {
  if (violation === undefined) return `seed ${seed} broke nothing`;
  const { invariant, requirements, message, step, atMs } = violation;
  return `seed ${seed} broke ${invariant} (${requirements}) at step ${step}, ${atMs} ms: ${message}`;
}

/** A script for people, and as the JSON that `--script` takes. */
export function describeShrunk(script: Script): string {
  const lines = describeScript(script).map((line) => `  ${line}`);
  return [`a short script that breaks the same:`, ...lines, JSON.stringify(script)].join("\n");
}
