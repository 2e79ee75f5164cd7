import { createClusterNode, MemberSet, type ClusterNodeInput } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { createEntry, createPayload } from "./payload.ts";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { median, quantile, type Figure } from "./measure.ts";

export interface OneChange {
  readonly medianUs: number;
  readonly figures: readonly Figure[];
}

/** Measures one changed member whose change the adapter knows, from its new node to all three ports. */
export async function benchOneChange(members: number, changes: number): Promise<OneChange> {
  const read = createNodeReader();
  const { members: entries } = JSON.parse(createPayload({ members })) as { members: unknown[] };
  const provider = new DirectProvider("direct", 1, MemberSet.from(entries.map((entry) => read(entry))));
  await using pipeline = new Pipeline([provider]);
  pipeline.start();
  await pipeline.until((all) => all.remoteEvents === members);
  globalThis.gc?.();
  const times: number[] = [];
  for (let i = 0; i < changes * 2; i++) {
    const node = createClusterNode(createEntry((i * 7_919) % members, i + 1) as ClusterNodeInput);
    const { seqNo } = pipeline.hub.state;
    const startedAt = performance.now();
    provider.publish(provider.members.apply({ upsert: [node] }));
    await pipeline.until((all) => all.isOwnershipAfter(seqNo) && all.isRemotingAfter(seqNo));
    if (i >= changes) times.push((performance.now() - startedAt) * 1_000);
  }
  const medianUs = median(times);
  return {
    medianUs,
    figures: [
      { name: "one changed member to all ports, median", members, value: medianUs, unit: "us" },
      { name: "one changed member to all ports, p99", members, value: quantile(times, 0.99), unit: "us" },
    ],
  };
}
