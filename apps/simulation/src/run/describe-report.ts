import { describeAnyScript, type AnyScript } from "./any-script.ts";
import type { RunOutcome } from "./run-script.ts";
import type { SeedsReport } from "./run-seeds.ts";

const HOUR_MS = 3_600_000;

/** Returns one line: how much was run, how fast, and the result. */
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

/** Describes the violation in one line. */
export function describeFailure({ seed, violation }: RunOutcome): string {
  if (violation === undefined) return `seed ${seed} violated nothing`;
  const { invariant, requirements, message, step, atMs } = violation;
  return `seed ${seed} violated ${invariant} (${requirements}) at step ${step}, ${atMs} ms: ${message}`;
}

/** Formats a script as text, and as the JSON that `--script` reads. */
export function describeShrunk(script: AnyScript): string {
  const lines = describeAnyScript(script).map((line) => `  ${line}`);
  return [`a short script with the same violation:`, ...lines, JSON.stringify(script)].join("\n");
}
