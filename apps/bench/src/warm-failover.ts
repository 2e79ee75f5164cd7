import { MemberSet } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { createPayload } from "./payload.ts";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { median, type Figure } from "./measure.ts";

const readMembers = (text: string) => {
  const read = createNodeReader();
  return MemberSet.from((JSON.parse(text) as { members: unknown[] }).members.map((entry) => read(entry)));
};

/**
 * The stream of the primary ends, and its warm standby, in which ten members differ, takes over. Measures the time from
 * the decision to all three ports.
 */
export async function benchWarmFailover(members: number, runs: number): Promise<readonly Figure[]> {
  const primaryText = createPayload({ members });
  const backupText = createPayload({ members, changed: 10 });
  const times: number[] = [];
  for (let run = -3; run < runs; run++) {
    const primary = new DirectProvider("primary", 2, readMembers(primaryText));
    const backup = new DirectProvider("backup", 1, readMembers(backupText));
    await using pipeline = new Pipeline([primary, backup]);
    pipeline.start();
    await pipeline.until((all) => all.remoteEvents === members);
    globalThis.gc?.();
    const { seqNo } = pipeline.hub.state;
    let decidedAt = 0;
    pipeline.onEvent((event) => {
      if (event.kind === "provider_changed") decidedAt = performance.now();
    });
    primary.end();
    await pipeline.until((all) => all.isOwnershipAfter(seqNo) && all.isRemotingAfter(seqNo));
    if (run >= 0) times.push(performance.now() - decidedAt);
  }
  const value = median(times);
  return [
    {
      name: "warm failover, decision to all ports",
      members,
      value,
      unit: "ms",
      ...(members === 10_000 && { goal: "< 1 ms", isMet: value < 1 }),
    },
  ];
}
