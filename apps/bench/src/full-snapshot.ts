import { createNodeReader, MemberSet } from "@holdfast/core";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { createPayload } from "./payload.ts";
import { median, timed, type Figure } from "./measure.ts";

interface Topology {
  readonly members: readonly unknown[];
}

const parse = (text: string) => JSON.parse(text) as Topology;

/** Checked nodes from parsed JSON, as an adapter makes them; members that did not change stay the same objects. */
function readMembers(
  previous: MemberSet,
  topology: Topology,
  read: ReturnType<typeof createNodeReader>,
): MemberSet {
  const find = previous.finder();
  return previous.replace(topology.members.map((entry) => read(entry, find((entry as { id: string }).id))));
}

/** What a program without us would do: index by id, compare entries as text, list what is new, changed and gone. */
function compareByHand(before: ReadonlyMap<string, string>, topology: Topology): Map<string, string> {
  const after = new Map<string, string>();
  const news: string[] = [];
  for (const entry of topology.members as { id: string }[]) {
    const text = JSON.stringify(entry);
    if (before.get(entry.id) !== text) news.push(entry.id);
    after.set(entry.id, text);
  }
  for (const id of before.keys()) if (!after.has(id)) news.push(id);
  return after;
}

/** A whole new snapshot, from parsed JSON to all three ports, against `JSON.parse` of the same payload. */
export async function benchFullSnapshot(members: number, runs: number): Promise<readonly Figure[]> {
  const read = createNodeReader();
  const parsing: number[] = [];
  const first: number[] = [];
  const reread: number[] = [];
  const byHand: number[] = [];
  const texts = [1, 2, 3].map((version) => createPayload({ members, changed: members / 100, version }));

  for (let run = -2; run < runs; run++) {
    // The very first snapshot: every member is new to everybody.
    const provider = new DirectProvider("direct", 1, MemberSet.empty);
    await using pipeline = new Pipeline([provider]);
    pipeline.start();
    await pipeline.until((all) => all.isOwnershipAfter(0));
    globalThis.gc?.();
    const initial = parse(texts[0]!);
    let startedAt = performance.now();
    provider.publish(readMembers(provider.members, initial, read));
    await pipeline.until((all) => all.remoteEvents === members);
    if (run >= 0) first.push(performance.now() - startedAt);

    // Read again as a whole, 1 % of the members moved.
    let known = compareByHand(new Map(), initial);
    for (const text of texts.slice(1)) {
      globalThis.gc?.();
      let topology: Topology = { members: [] };
      const parseMs = timed(() => (topology = parse(text)));
      const { seqNo } = pipeline.hub.state;
      startedAt = performance.now();
      provider.publish(readMembers(provider.members, topology, read));
      await pipeline.until((all) => all.isOwnershipAfter(seqNo) && all.isRemotingAfter(seqNo));
      const rereadMs = performance.now() - startedAt;
      globalThis.gc?.();
      const handMs = timed(() => (known = compareByHand(known, topology)));
      if (run >= 0) {
        parsing.push(parseMs);
        reread.push(rereadMs);
        byHand.push(handMs);
      }
    }
  }

  const parseMs = median(parsing);
  const against = "JSON.parse of the same payload";
  const ratio = (values: readonly number[]) => median(values) / parseMs;
  return [
    { name: "JSON.parse of the payload", members, value: parseMs, unit: "ms" },
    {
      name: "full snapshot, 1 % changed: parsed JSON to all ports",
      members,
      value: median(reread),
      unit: "ms",
    },
    {
      name: "  ratio",
      members,
      value: ratio(reread),
      unit: "ratio",
      against,
      goal: "<= 0.25",
      isMet: ratio(reread) <= 0.25,
    },
    {
      name: "full snapshot, every member new: parsed JSON to all ports",
      members,
      value: median(first),
      unit: "ms",
    },
    {
      name: "  ratio",
      members,
      value: ratio(first),
      unit: "ratio",
      against,
      goal: "<= 0.25",
      isMet: ratio(first) <= 0.25,
    },
    {
      name: "peer: Map by id, entries compared as text, no ports",
      members,
      value: median(byHand),
      unit: "ms",
    },
    { name: "  ratio", members, value: ratio(byHand), unit: "ratio", against },
  ];
}
