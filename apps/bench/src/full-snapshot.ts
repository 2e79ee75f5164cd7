import { MemberSet } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { createPayload } from "./payload.ts";
import type { Figure } from "./measure.ts";

interface Topology {
  readonly members: readonly unknown[];
}

/** Creates checked nodes from parsed JSON, as an adapter does. Members that did not change stay the same objects. */
function readMembers(
  previous: MemberSet,
  topology: Topology,
  read: ReturnType<typeof createNodeReader>,
): MemberSet {
  const find = previous.finder();
  return previous.replace(topology.members.map((entry) => read(entry, find((entry as { id: string }).id))));
}

/**
 * The comparison: what a program without Holdfast would do. It indexes the members by id, compares entries as text, and
 * lists the added, changed and removed members.
 */
function compareByHand(before: ReadonlyMap<string, string>, topology: Topology): Map<string, string> {
  const after = new Map<string, string>();
  const changes: string[] = [];
  for (const entry of topology.members as { id: string }[]) {
    const text = JSON.stringify(entry);
    if (before.get(entry.id) !== text) changes.push(entry.id);
    after.set(entry.id, text);
  }
  for (const id of before.keys()) if (!after.has(id)) changes.push(id);
  return after;
}

const WARM_UP = 4;

interface Consumer {
  /** Processes one response, as an adapter does. It keeps no reference to the response. */
  consume(topology: Topology): void;
  /** Resolves when all ports have received the result. */
  untilReceived?(): Promise<void>;
}

/**
 * The milliseconds that one response costs: parsing it, and processing it in the consumer. The value is the mean of all
 * runs, so that it includes the garbage collections that the responses cause.
 */
async function costOfResponse(texts: readonly string[], runs: number, consumer: Consumer): Promise<number> {
  const consumeNext = (run: number) => {
    consumer.consume(JSON.parse(texts[run % texts.length]!) as Topology);
  };
  let startedAt = 0;
  for (let run = 0; run < WARM_UP + runs; run++) {
    if (run === WARM_UP) startedAt = performance.now();
    consumeNext(run);
    await consumer.untilReceived?.();
  }
  return (performance.now() - startedAt) / runs;
}

/** Receives complete responses repeatedly, in which a few members have changed. */
class RepeatedSnapshot implements Consumer, AsyncDisposable {
  readonly #read = createNodeReader();
  readonly #provider = new DirectProvider("direct", 1, MemberSet.empty);
  readonly #pipeline = new Pipeline([this.#provider]);
  #seqNo = 0;

  constructor() {
    this.#pipeline.start();
  }

  consume(topology: Topology): void {
    this.#seqNo = this.#pipeline.hub.state.seqNo;
    this.#provider.publish(readMembers(this.#provider.members, topology, this.#read));
  }

  untilReceived(): Promise<void> {
    return this.#pipeline.until(
      (all) => all.isOwnershipAfter(this.#seqNo) && all.isRemotingAfter(this.#seqNo),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pipeline[Symbol.asyncDispose]();
  }
}

/** Receives each response as the first one of a new pipeline. */
class FirstSnapshot implements Consumer {
  readonly #read = createNodeReader();
  #pipeline: Pipeline | undefined;
  #size = 0;

  consume(topology: Topology): void {
    const members = readMembers(MemberSet.empty, topology, this.#read);
    this.#size = members.size;
    this.#pipeline = new Pipeline([new DirectProvider("direct", 1, members)]);
    this.#pipeline.start();
  }

  async untilReceived(): Promise<void> {
    await this.#pipeline?.until(({ remoteEvents }) => remoteEvents === this.#size);
    await this.#pipeline?.[Symbol.asyncDispose]();
  }
}

/**
 * Measures a complete new response, from parsed JSON to all three ports, in comparison to `JSON.parse` of the same
 * payload.
 */
export async function benchFullSnapshot(members: number, runs: number): Promise<readonly Figure[]> {
  const texts = [1, 2, 3, 4].map((version) => createPayload({ members, changed: members / 100, version }));
  const parseMs = await costOfResponse(texts, runs, { consume: () => undefined });
  await using repeated = new RepeatedSnapshot();
  const repeatedMs = await costOfResponse(texts, runs, repeated);
  const firstMs = await costOfResponse(texts, runs, new FirstSnapshot());
  let known = new Map<string, string>();
  const byHand = await costOfResponse(texts, runs, {
    consume(topology) {
      known = compareByHand(known, topology);
    },
  });
  const figuresOf = (name: string, costMs: number, goal?: number): readonly Figure[] => {
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
    ...figuresOf("full snapshot, 1 % changed: parsed JSON to all ports", repeatedMs, 0.25),
    ...figuresOf("full snapshot, every member new: parsed JSON to all ports", firstMs, 0.25),
    ...figuresOf("peer: Map by id, entries compared as text, no ports", byHand),
  ];
}
