import { systemClock } from "@holdfast/core";
import { expect, inject, test } from "vitest";
import { runFaultySave, tracePlainSave, type FaultOutcome, type PlainSave } from "./faulty-save.ts";
import { allFaults, type SavingFault } from "./saving-fault.ts";
import { inPlaceSubject } from "./in-place-subject.ts";
import type { SavingSubject } from "./saving-subject.ts";
import { SAVING_SUBJECTS } from "./saving-subjects.ts";
import { describeTraced } from "./strace.ts";

const isAll = process.env["HOLDFAST_FAULTS"] === "all";
const isLong = isAll || inject("isLong");
const LIMIT_MS = isAll ? 1_800_000 : 600_000;
/** Number of faults in the short form. */
const SHORT = 4;
/** Number of concurrent processes. */
const LANES = 2;

async function runFaults(
  subject: SavingSubject,
  plain: PlainSave,
  faults: readonly SavingFault[],
): Promise<readonly FaultOutcome[]> {
  const outcomes: FaultOutcome[] = [];
  const queue = [...faults];
  const lane = async () => {
    try {
      for (let fault = queue.shift(); fault !== undefined; fault = queue.shift())
        outcomes.push(await runFaultySave(subject, plain, fault));
    } finally {
      // A failure ends the other lane too.
      queue.length = 0;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const ended of lanes) if (ended.status === "rejected") throw ended.reason;
  return outcomes;
}

/** Returns `count` items at equal distances, including the first and the last. */
function takeEvenly<T>(all: readonly T[], count: number): readonly T[] {
  const step = (all.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => all[Math.round(index * step)]!);
}

describeTraced("a system call of a save that fails, or at which the process is killed", () => {
  test("is detected when neither state is left", async () => {
    const plain = await tracePlainSave(inPlaceSubject);
    const call = plain.calls.find(({ name }) => name === "write")!;
    const run = runFaultySave(inPlaceSubject, plain, { call, effect: "SIGKILL", isLasting: false });
    await expect(run).rejects.toMatchObject({
      cause: { message: expect.stringContaining("not one of the saved states") },
    });
  });

  // R1.5, R5.4
  test.each(SAVING_SUBJECTS)(
    "leaves $name usable, with the old or the new state complete",
    async (subject) => {
      const startedAt = systemClock.monotonic();
      const plain = await tracePlainSave(subject);
      for (const name of ["openat", "write", "fsync", "rename", "close"])
        expect(plain.names.split(",")).toContain(name);
      const usual = isAll ? allFaults(plain.calls) : subject.usualFaults(plain.calls);
      const faults = isLong ? usual : takeEvenly(usual, SHORT);
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
});
