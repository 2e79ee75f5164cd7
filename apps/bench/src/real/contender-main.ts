// Runs one contender in a separate process, so that its CPU time and memory can be measured. The parent sends the
// commands.
import type { ContenderName, Observation, Target } from "./contender.ts";

export type Command =
  | { readonly type: "follow"; readonly contender: ContenderName; readonly target: Target }
  | { readonly type: "measure" };

export type Report =
  | ({ readonly type: "seen"; readonly at: string } & Observation)
  /** The CPU time since the last measurement, and the memory in use now. */
  | {
      readonly type: "measured";
      readonly cpuUs: number;
      readonly heapBytes: number;
      readonly rssBytes: number;
    };

let cpuBefore = process.cpuUsage();

process.on("message", (command: Command) => {
  if (command.type === "follow") {
    void follow(command.contender, command.target);
    return;
  }
  // Read before the garbage collection, which is part of the measurement.
  const { user, system } = process.cpuUsage(cpuBefore);
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  report({ type: "measured", cpuUs: user + system, heapBytes: heapUsed + external, rssBytes: rss });
  cpuBefore = process.cpuUsage();
});

/** Loads only the code of this contender. */
async function follow(contender: ContenderName, target: Target): Promise<void> {
  if (contender === "holdfast") {
    const { followWithHoldfast } = await import("./follow-with-holdfast.ts");
    await followWithHoldfast(target, onSeen);
  } else if (target.backend === "consul") {
    const { followConsulBare, followConsulWithHelper } = await import("./follow-consul.ts");
    await (contender === "bare loop" ? followConsulBare : followConsulWithHelper)(target, onSeen);
  } else {
    const { followKubernetesBare, followKubernetesWithInformer } = await import("./follow-kubernetes.ts");
    await (contender === "bare loop" ? followKubernetesBare : followKubernetesWithInformer)(target, onSeen);
  }
}

function onSeen(observation: Observation): void {
  report({ type: "seen", at: String(process.hrtime.bigint()), ...observation });
}

function report(message: Report): void {
  process.send?.(message);
}
