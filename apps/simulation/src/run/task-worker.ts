// Entry point of a worker thread: plants the bug first, if there is one, then loads the code that runs scripts.
import { parentPort, workerData } from "node:worker_threads";
import { plantMutant } from "../mutants/plant-mutant.ts";
import type { RunOutcome } from "./run-script.ts";
import type { Task, TaskMessage } from "./task.ts";

const task = workerData as Task;
if (task.mutant !== undefined) plantMutant(task.mutant);
const [{ createAnyScript }, { runAnyScript, shrinkAnyScript }] = await Promise.all([
  import("./any-script.ts"),
  import("./run-any-script.ts"),
]);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const send = (message: TaskMessage) => parentPort?.postMessage(message);

switch (task.kind) {
  case "seeds": {
    const { world, first, count, stopsAtFailure } = task;
    const taken = new Int32Array(task.taken);
    let outcome: RunOutcome | undefined;
    for (let next = Atomics.add(taken, 0, 1); next < count; next = Atomics.add(taken, 0, 1)) {
      outcome = await runAnyScript(createAnyScript(world, first + next));
      send({ kind: "outcome", outcome });
      if (outcome.violation !== undefined && stopsAtFailure) Atomics.store(taken, 0, count);
    }
    break;
  }
  case "script":
    send({ kind: "outcome", outcome: await runAnyScript(task.script, { keepTrace: true }) });
    break;
  case "shrink":
    send({ kind: "shrunk", script: await shrinkAnyScript(task.script, task.invariant) });
    break;
}
