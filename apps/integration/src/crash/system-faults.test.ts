import { systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { runFaultySave, tracePlainSave, type FaultOutcome, type PlainSave } from "./faulty-save.ts";
import { allFaults, type SavingFault } from "./saving-fault.ts";
import type { SavingSubject } from "./saving-subject.ts";
import { SAVING_SUBJECTS } from "./saving-subjects.ts";
import { whyNoStrace } from "./strace.ts";

const missing = whyNoStrace();
const isAll = process.env["HOLDFAST_FAULTS"] === "all";
const LIMIT_MS = isAll ? 1_800_000 : 180_000;
/** Processes at a time. */
const LANES = 2;

async function runFaults(
  subject: SavingSubject,
  plain: PlainSave,
  faults: readonly SavingFault[],
): Promise<readonly FaultOutcome[]> {
  const outcomes: FaultOutcome[] = [];
  const queue = faults.values();
  const lane = async () => {
    // The first failure ends both lanes: leaving the loop closes the queue.
    for (const fault of queue) outcomes.push(await runFaultySave(subject, plain, fault));
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const ended of lanes) if (ended.status === "rejected") throw ended.reason;
  return outcomes;
}

const title = "a system call of a save that fails in the kernel, or at which the process is killed";

if (missing !== undefined && process.env["HOLDFAST_REQUIRE_BACKENDS"] === "1")
  throw new Error(`nothing may be skipped here: ${title} (needs strace: ${missing})`);

describe.skipIf(missing !== undefined)(
  missing === undefined ? title : `${title} (needs strace: ${missing})`,
  () => {
    // R1.5, R5.4
    test.each(SAVING_SUBJECTS)(
      "leaves $name with the old or the new state, whole, and usable",
      async (subject) => {
        const startedAt = systemClock.monotonic();
        const plain = await tracePlainSave(subject);
        for (const name of ["openat", "write", "fsync", "rename", "close"])
          expect(plain.names.split(",")).toContain(name);
        const faults = isAll ? allFaults(plain.calls) : subject.usualFaults(plain.calls);
        const outcomes = await runFaults(subject, plain, faults);
        expect(outcomes).toHaveLength(faults.length);
        const count = (isCounted: (outcome: FaultOutcome) => boolean) => outcomes.filter(isCounted).length;
        const olds = count(({ state }) => state === "old");
        const failed = count(({ hasFailed }) => hasFailed);
        // Both sides of the moment at which the new state comes into force were hit.
        expect(olds).toBeGreaterThan(0);
        expect(olds).toBeLessThan(outcomes.length);
        const kills = faults.filter(({ effect }) => effect === "SIGKILL").length;
        const seconds = Math.round((systemClock.monotonic() - startedAt) / 1_000);
        console.log(
          `${subject.name}: ${plain.calls.length} system calls, ${faults.length} faults (${kills} kills); ` +
            `${failed} failed saves; afterwards old ${olds}, new ${outcomes.length - olds}; ${seconds} s`,
        );
      },
      LIMIT_MS,
    );
  },
);
