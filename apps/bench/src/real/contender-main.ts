// One contender in a process of its own, so that CPU time and memory are its own: told its target, and asked, by messages.
import type { ContenderName, Sighting, Target } from "./contender.ts";

export type Order =
  | { readonly type: "follow"; readonly contender: ContenderName; readonly target: Target }
  | { readonly type: "measure" };

export type Report =
  | ({ readonly type: "seen"; readonly at: string } & Sighting)
  /** Since the last measurement, and what is held now. */
  | {
      readonly type: "measured";
      readonly cpuUs: number;
      readonly heapBytes: number;
      readonly rssBytes: number;
    };

let cpuBefore = process.cpuUsage();

process.on("message", (order: Order) => {
  if (order.type === "follow") {
    void follow(order.contender, order.target);
    return;
  }
  // Before collecting: that is the measurement's own cost.
  const { user, system } = process.cpuUsage(cpuBefore);
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  report({ type: "measured", cpuUs: user + system, heapBytes: heapUsed + external, rssBytes: rss });
  cpuBefore = process.cpuUsage();
});

/** Only the contender's own code is loaded. */
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

function onSeen(sighting: Sighting): void {
  report({ type: "seen", at: String(process.hrtime.bigint()), ...sighting });
}

function report(message: Report): void {
  process.send?.(message);
}
