import { expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { judgeEnd } from "./judge.ts";
import { QUICK_PACE } from "./soak-pace.ts";
import { runSoak } from "./soak.ts";

/** Includes the time to start the servers and to settle. */
const TIMEOUT_MS = 180_000;

describeReal("soak test of less than a minute", ["consul program", "kube-api program"], () => {
  test(
    "300 members, 2 % change per second, a fault of every kind: the members are correct at the end and no resources remain",
    { timeout: TIMEOUT_MS },
    async ({ signal }) => {
      // R2.5 R2.6 R3.1 R3.3 R3.4 R4.1 R5.3 R5.6
      const lines: string[] = [];
      const result = await runSoak({
        durationMs: 40_000,
        members: 300,
        churn: 0.02,
        seed: 1,
        pace: QUICK_PACE,
        onProgress: (line) => lines.push(line),
        signal,
      });
      const broken = judgeEnd(result).filter(({ holds }) => !holds);
      expect(broken, lines.join("\n")).toEqual([]);
    },
  );
});
