import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConsulAgent } from "@holdfast-apps/lab";
import type { ClusterNodeInput } from "@holdfast/core";
import type { Figure } from "../measure.ts";
import { createEntry } from "../payload.ts";
import type { WatchersCommand, WatchersReport } from "./commands.ts";
import { readCpuUs } from "./process-cpu.ts";

const SERVICE = "bench";

/** The same members as those of the daemon. */
function toNode(i: number, version: number): ClusterNodeInput {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry has the fields of a member
  return createEntry(i, version) as ClusterNodeInput;
}

export interface ConsulWatchersOptions {
  readonly members: number;
  readonly clients: number;
  readonly changes: number;
}

/**
 * The alternative to following a daemon: each client asks Consul itself. Consul sends the whole service to each of them for each change, so
 * a few clients show what one more costs.
 */
export async function benchConsulWatchers({
  members,
  clients,
  changes,
}: ConsulWatchersOptions): Promise<readonly Figure[]> {
  await using agent = await ConsulAgent.start();
  await agent.catalog.publish(
    SERVICE,
    Array.from({ length: members }, (_, i) => toNode(i, 0)),
  );
  const child = fork(join(import.meta.dirname, "watchers-main.ts"), [], { execArgv: [] });
  const send = (command: WatchersCommand) => child.send(command);
  const measure = async () => {
    send({ type: "measure" });
    const [report] = (await once(child, "message")) as [WatchersReport];
    return report;
  };
  try {
    send({ type: "watch", count: clients, url: `${agent.address}/v1/health/service/${SERVICE}` });
    const until = async (responses: number) => {
      while ((await measure()).responses < responses) await sleep(100);
    };
    await until(clients);
    send({ type: "reset" });
    const cpuBefore = await readCpuUs(agent.process.pid!);
    for (let change = 1; change <= changes; change++) {
      await agent.catalog.register(SERVICE, toNode(change, change));
      await until(change * clients);
    }
    const { bytes, cpuUs } = await measure();
    const consulUs = (await readCpuUs(agent.process.pid!)) - cpuBefore;
    const per = changes * clients;
    const name = (text: string) => `${clients} clients that ask Consul directly: ${text}`;
    return [
      { name: name("CPU of Consul per change and client"), members, value: consulUs / per, unit: "us" },
      { name: name("CPU of the clients per change and client"), members, value: cpuUs / per, unit: "us" },
      { name: name("bytes per change and client"), members, value: bytes / per, unit: "bytes" },
    ];
  } finally {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}
