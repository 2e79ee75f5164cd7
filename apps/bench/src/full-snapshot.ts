import { MemberSet } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { createPayload } from "./payload.ts";
import type { Figure } from "./measure.ts";

interface Topology {
  readonly members: readonly unknown[];
}

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

const WARM_UP = 4;

interface Consumer {
  /** What an adapter does with an answer: it lets go of it when it returns. */
  take(topology: Topology): void;
  /** Resolves when everybody has it. */
  settle?(): Promise<void>;
}

/**
 * Milliseconds one backend answer costs: parsing it and what the consumer does with it. A mean over all runs, so that the
 * garbage collection an answer causes is in the figure, whenever it happens.
 */
async function costOfAnswer(texts: readonly string[], runs: number, consumer: Consumer): Promise<number> {
  const takeNext = (run: number) => {
    consumer.take(JSON.parse(texts[run % texts.length]!) as Topology);
  };
  let startedAt = 0;
  for (let run = 0; run < WARM_UP + runs; run++) {
    if (run === WARM_UP) startedAt = performance.now();
    takeNext(run);
    await consumer.settle?.();
  }
  return (performance.now() - startedAt) / runs;
}

/** The provider's whole answer is read again and again: a few members moved. */
class Rereading implements Consumer, AsyncDisposable {
  readonly #read = createNodeReader();
  readonly #provider = new DirectProvider("direct", 1, MemberSet.empty);
  readonly #pipeline = new Pipeline([this.#provider]);
  #seqNo = 0;

  constructor() {
    this.#pipeline.start();
  }

  take(topology: Topology): void {
    this.#seqNo = this.#pipeline.hub.state.seqNo;
    this.#provider.publish(readMembers(this.#provider.members, topology, this.#read));
  }

  settle(): Promise<void> {
    return this.#pipeline.until(
      (all) => all.isOwnershipAfter(this.#seqNo) && all.isRemotingAfter(this.#seqNo),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pipeline[Symbol.asyncDispose]();
  }
}

/** Every answer is somebody's very first. */
class Beginning implements Consumer {
  readonly #read = createNodeReader();
  #pipeline: Pipeline | undefined;
  #size = 0;

  take(topology: Topology): void {
    const members = readMembers(MemberSet.empty, topology, this.#read);
    this.#size = members.size;
    this.#pipeline = new Pipeline([new DirectProvider("direct", 1, members)]);
    this.#pipeline.start();
  }

  async settle(): Promise<void> {
    await this.#pipeline?.until(({ remoteEvents }) => remoteEvents === this.#size);
    await this.#pipeline?.[Symbol.asyncDispose]();
  }
}

/** A whole new answer of the backend, from parsed JSON to all three ports, against `JSON.parse` of the same payload. */
export async function benchFullSnapshot(members: number, runs: number): Promise<readonly Figure[]> {
  const texts = [1, 2, 3, 4].map((version) => createPayload({ members, changed: members / 100, version }));
  const parseMs = await costOfAnswer(texts, runs, { take: () => undefined });
  await using rereading = new Rereading();
  const reread = await costOfAnswer(texts, runs, rereading);
  const first = await costOfAnswer(texts, runs, new Beginning());
  let known = new Map<string, string>();
  const byHand = await costOfAnswer(texts, runs, {
    take(topology) {
      known = compareByHand(known, topology);
    },
  });
  const beside = (name: string, costMs: number, goal?: number): readonly Figure[] => {
    const value = costMs - parseMs;
    const ratio = value / parseMs;
    return [
      { name, members, value, unit: "ms" },
      {
        name: "  ratio",
        members,
        value: ratio,
        unit: "ratio",
        against: "JSON.parse of the same payload",
        ...(goal !== undefined && { goal: `<= ${goal}`, isMet: ratio <= goal }),
      },
    ];
  };
  return [
    { name: "JSON.parse of the payload", members, value: parseMs, unit: "ms" },
    ...beside("full snapshot, 1 % changed: parsed JSON to all ports", reread, 0.25),
    ...beside("full snapshot, every member new: parsed JSON to all ports", first, 0.25),
    ...beside("peer: Map by id, entries compared as text, no ports", byHand),
  ];
}
