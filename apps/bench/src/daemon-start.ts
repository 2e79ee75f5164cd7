import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPayload } from "./payload.ts";
import { median, type Figure } from "./measure.ts";

const main = join(import.meta.dirname, "../../../packages/cli/src/main.ts");

async function start(config: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [main, "run", "--config", config, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let output = "";
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data));
  child.stdout.on("data", (data: Buffer) => {
    output += data;
    if (/"to":"ready"/.test(output)) resolve(performance.now() - startedAt);
  });
  child.on("exit", () => reject(new Error(`the daemon exited before it was ready\n${output}\n${errors}`)));
  try {
    return await promise;
  } finally {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
}

/**
 * Measures the time from starting the process to the event with the status `ready`, with one file provider. Starting
 * and ending a bare `node` process is the comparison.
 */
export async function benchDaemonStart(members: number, runs: number): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
  try {
    await writeFile(join(folder, "topology.json"), createPayload({ members }));
    const config = join(folder, "holdfast.json");
    const provider = { id: "file", kind: "file", priority: 1, params: { path: "topology.json" } };
    await writeFile(config, JSON.stringify({ providers: [provider], http: { port: 0 } }));
    const times: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < runs; run++) {
      times.push(await start(config));
      const startedAt = performance.now();
      await once(spawn(process.execPath, ["--eval", "0"]), "exit");
      bare.push(performance.now() - startedAt);
    }
    return [
      { name: "holdfast run, process start to ready", members, value: median(times), unit: "ms" },
      { name: "peer: node, process start to end", value: median(bare), unit: "ms" },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
