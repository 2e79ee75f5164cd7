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

/** Collecting garbage by force would throw away what the engine learned; it happens here when it happens. */
const WARM_UP = 3;

/** The very first snapshot: every member is new to everybody. Parsed JSON to all three ports. */
async function benchFirst(members: number, runs: number): Promise<number> {
  const read = createNodeReader();
  const text = createPayload({ members });
  const times: number[] = [];
  for (let run = 0; run < runs + WARM_UP; run++) {
    const provider = new DirectProvider("direct", 1, MemberSet.empty);
    await using pipeline = new Pipeline([provider]);
    pipeline.start();
    await pipeline.until((all) => all.isOwnershipAfter(0));
    const topology = parse(text);
    const startedAt = performance.now();
    provider.publish(readMembers(provider.members, topology, read));
    await pipeline.until((all) => all.remoteEvents === members);
    times.push(performance.now() - startedAt);
  }
  return median(times.slice(WARM_UP));
}

/** The peer, on the same payloads. */
function benchByHand(members: number, runs: number): number {
  let known = new Map<string, string>();
  const times: number[] = [];
  for (let version = 1; version <= runs + WARM_UP; version++) {
    const topology = parse(createPayload({ members, changed: members / 100, version }));
    times.push(timed(() => (known = compareByHand(known, topology))));
  }
  return median(times.slice(WARM_UP));
}

/** A whole new snapshot, from parsed JSON to all three ports, against `JSON.parse` of the same payload. */
export async function benchFullSnapshot(members: number, runs: number): Promise<readonly Figure[]> {
  const read = createNodeReader();
  const provider = new DirectProvider("direct", 1, MemberSet.empty);
  await using pipeline = new Pipeline([provider]);
  pipeline.start();
  const parsing: number[] = [];
  const ours: number[] = [];
  for (let version = 1; version <= runs + WARM_UP; version++) {
    const text = createPayload({ members, changed: members / 100, version });
    let topology: Topology = { members: [] };
    const parseMs = timed(() => (topology = parse(text)));
    const { seqNo } = pipeline.hub.state;
    const startedAt = performance.now();
    provider.publish(readMembers(provider.members, topology, read));
    await pipeline.until((all) => all.isOwnershipAfter(seqNo) && all.isRemotingAfter(seqNo));
    const oursMs = performance.now() - startedAt;
    // The first version was new to everybody.
    if (version <= WARM_UP) continue;
    parsing.push(parseMs);
    ours.push(oursMs);
  }
  const parseMs = median(parsing);
  const beside = (name: string, value: number, goal?: number): readonly Figure[] => [
    { name, members, value, unit: "ms" },
    {
      name: "  ratio",
      members,
      value: value / parseMs,
      unit: "ratio",
      against: "JSON.parse of the same payload",
      ...(goal !== undefined && { goal: `<= ${goal}`, isMet: value / parseMs <= goal }),
    },
  ];
  return [
    { name: "JSON.parse of the payload", members, value: parseMs, unit: "ms" },
    ...beside("full snapshot, 1 % changed: parsed JSON to all ports", median(ours), 0.25),
    ...beside(
      "full snapshot, every member new: parsed JSON to all ports",
      await benchFirst(members, runs),
      0.25,
    ),
    ...beside("peer: Map by id, entries compared as text, no ports", benchByHand(members, runs)),
  ];
}
