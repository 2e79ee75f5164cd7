import { Worker } from "node:worker_threads";
import type { AnyScript } from "./any-script.ts";
import type { RunOutcome } from "./run-script.ts";
import type { Task, TaskMessage } from "./task.ts";

/** Runs a task in a worker thread. Rejects with the error of the thread. */
export async function runTask(task: Task, onMessage: (message: TaskMessage) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(new URL("task-worker.ts", import.meta.url), { workerData: task });
  worker.on("message", onMessage);
  worker.on("error", reject);
  worker.on("exit", (code) =>
    code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`)),
  );
  await promise;
}

/** Runs one script with its trace kept. */
export async function runScriptApart(script: AnyScript, mutant?: string): Promise<RunOutcome> {
  let outcome: RunOutcome | undefined;
  await runTask({ kind: "script", script, mutant }, (message) => {
    if (message.kind === "outcome") outcome = message.outcome;
  });
  if (outcome === undefined) throw new Error("the worker sent no result");
  return outcome;
}

/** Returns the shrunk script. */
export async function shrinkApart(script: AnyScript, invariant: string, mutant?: string): Promise<AnyScript> {
  let shrunk = script;
  await runTask({ kind: "shrink", script, invariant, mutant }, (message) => {
    if (message.kind === "shrunk") shrunk = message.script;
  });
  return shrunk;
}
