import { readdir } from "node:fs/promises";
import * as fc from "fast-check";
import { expect, inject, test } from "vitest";
import { nodeFileSystem } from "./file-system.ts";
import { FileProviderStore } from "./index.ts";
import { createDescriptor, idsOf } from "../test/descriptors.ts";
import { interceptFileSystem } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import type { ProcessTable, Writer } from "./writer.ts";

/** Lets one process at a time make one call, in an order that the test chooses. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #choices: Iterator<number>;
  #running: number;

  constructor(processes: number, choices: Iterable<number>) {
    this.#running = processes;
    this.#choices = choices[Symbol.iterator]();
  }

  /** Waits for a turn, which lasts until the process asks for the next turn or leaves. */
  async next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#pass();
    await promise;
  }

  leave(): void {
    this.#running--;
    this.#pass();
  }

  #pass(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#running) return;
    const choice = this.#choices.next();
    const index = choice.done === true ? 0 : choice.value % this.#waiting.length;
    const [resume] = this.#waiting.splice(index, 1);
    resume?.();
  }
}

interface Actor {
  /** The number of descriptors to append. */
  readonly rounds: number;
  /** The index of the call before which it dies. Undefined: it completes every call. */
  readonly diesAt: number | undefined;
}

const actors: fc.Arbitrary<Actor> = fc.record({
  rounds: fc.integer({ min: 1, max: 3 }),
  diesAt: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
});
const schedules = fc.record({
  actors: fc.array(actors, { minLength: 2, maxLength: 4 }),
  // Short bursts by one process and strict alternation both matter.
  choices: fc.array(fc.nat({ max: 3 }), { minLength: 200, maxLength: 400, size: "max" }),
});

// R1.5
test("no acknowledged update is lost, however processes interleave and wherever they die", async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async ({ actors: all, choices }) => {
      using folder = new TemporaryFolder();
      const path = folder.at("providers.jsonl");
      const turns = new Turns(all.length, choices);
      const dead = new Set<number>();
      const acknowledged: string[] = [];
      const results = all.map((actor, index) =>
        runActor({ ...actor, pid: index + 1, path, turns, dead, acknowledged }),
      );
      await Promise.all(results);
      const final = idsOf(await new FileProviderStore({ path }).load());
      expect(final).toEqual(expect.arrayContaining(acknowledged));
      expect(new Set(final).size).toBe(final.length);

      // A process that died does not block a later one.
      const next = new FileProviderStore(
        { path },
        { fileSystem: nodeFileSystem, processes: createProcesses(99, dead) },
      );
      await next.save([...(await next.load()), createDescriptor("next")]);
      expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
    }),
    { numRuns: inject("isLong") ? 300 : 100 },
  );
});

interface Run extends Actor {
  readonly pid: number;
  readonly path: string;
  readonly turns: Turns;
  readonly dead: Set<number>;
  readonly acknowledged: string[];
}

async function runActor({ rounds, diesAt, pid, path, turns, dead, acknowledged }: Run): Promise<void> {
  let calls = 0;
  await using fileSystem = interceptFileSystem(async ({ run }) => {
    if (!dead.has(pid)) await turns.next();
    if (calls++ === diesAt) dead.add(pid);
    if (dead.has(pid)) throw new Error("died");
    return run();
  });
  const store = new FileProviderStore({ path }, { fileSystem, processes: createProcesses(pid, dead) });
  try {
    for (let round = 0; round < rounds && !dead.has(pid); round++) {
      const id = `${pid}-${round}`;
      const error = await store
        .load()
        .then((known) => store.save([...known, createDescriptor(id)]))
        .catch((thrown: unknown) => thrown);
      if (error === undefined) acknowledged.push(id);
      else if (!dead.has(pid)) expect(error).toMatchObject({ code: "STORE_CONFLICT" });
    }
  } finally {
    turns.leave();
  }
}

function createProcesses(pid: number, dead: ReadonlySet<number>): ProcessTable {
  const self: Writer = { pid, startTime: "1", host: "here", bootId: "this", pidNamespace: "one" };
  return { self: async () => self, isGone: async (other) => dead.has(other.pid) };
}
