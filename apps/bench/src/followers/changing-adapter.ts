import { monitorEventLoopDelay } from "node:perf_hooks";
import { createSnapshot, MemberSet, type AdapterOptions, type ProviderAdapter } from "@holdfast/core";
import { createNodeReader, defineAdapter } from "@holdfast/core/adapter";
import * as z from "zod";
import { createEntry } from "../payload.ts";
import type { DaemonCommand, DaemonMeasured } from "./commands.ts";

interface ChangingParams {
  readonly members: number;
}

/** The interval of the samples of the event loop, in milliseconds. A shorter one would cost more than what is measured. */
const SAMPLE_MS = 10;

/** Measures the process that has loaded it. */
class Meter {
  readonly #delays = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  #startedAt = process.cpuUsage();
  #sampledAt = runMs();
  #longestTurnMs = 0;
  changes = 0;

  constructor() {
    this.#delays.enable();
    // Between two samples there are several turns at most, so the longest one is not longer than what was used between them.
    setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  reset(): void {
    this.#delays.reset();
    this.#startedAt = process.cpuUsage();
    this.#sampledAt = runMs();
    this.#longestTurnMs = 0;
    this.changes = 0;
  }

  read(): DaemonMeasured {
    const { user, system } = process.cpuUsage(this.#startedAt);
    return {
      type: "measured",
      changes: this.changes,
      cpuUs: user + system,
      longestTurnMs: this.#longestTurnMs,
      delayP99Ms: this.#delays.percentile(99) / 1e6,
    };
  }

  #sample(): void {
    const now = runMs();
    this.#longestTurnMs = Math.max(this.#longestTurnMs, now - this.#sampledAt);
    this.#sampledAt = now;
  }
}

function runMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const PARAMS: z.ZodType<ChangingParams, object> = z.strictObject({ members: z.int() });

/** A provider in the daemon whose members change on command of the benchmark, which is the parent process. */
const changing = defineAdapter({
  kind: "changing",
  params: PARAMS,
  open({ descriptor, clock, heartbeatMs }) {
    const read = createNodeReader();
    return {
      probe: () => Promise.resolve(),
      async *watch({ signal }) {
        const count = descriptor.params.members;
        let members = MemberSet.from(Array.from({ length: count }, (_, i) => read(createEntry(i, 0))));
        const meter = new Meter();
        let everyMs = 0;
        let wakeUp = Promise.withResolvers<void>();
        process.on("message", (command: DaemonCommand) => {
          if (command.type === "measure") process.send?.(meter.read());
          else if (command.type === "reset") meter.reset();
          else everyMs = command.everyMs;
          wakeUp.resolve();
        });
        signal.addEventListener("abort", () => wakeUp.resolve());
        for (let version = 0; !signal.aborted;) {
          const observedAt = clock.now();
          const revision = String(version);
          yield {
            type: "snapshot",
            snapshot: createSnapshot({ providerId: descriptor.id, members, observedAt, revision }),
          };
          if (version > 0) meter.changes++;
          do {
            wakeUp = Promise.withResolvers();
            using _ = clock.schedule(everyMs > 0 ? everyMs : heartbeatMs, () => wakeUp.resolve());
            await wakeUp.promise;
            if (everyMs === 0) yield { type: "heartbeat" };
          } while (everyMs === 0 && !signal.aborted);
          version++;
          members = members.apply({ upsert: [read(createEntry(version % count, version))] });
        }
      },
    };
  },
});

export function createAdapter(options: AdapterOptions): ProviderAdapter<ChangingParams> {
  return changing.createAdapter(options);
}
