import { Worker } from "node:worker_threads";
import {
  createClusterNode,
  EventChannel,
  isSameNode,
  toAbortError,
  type ClusterNode,
  type ClusterNodeInput,
  type MemberSet,
} from "@holdfast/core";
import { InvalidTopologyError } from "./invalid-topology-error.ts";
import type { ParseReply, ParseTask } from "./parse-worker.ts";

export interface ParseInWorkerOptions {
  /** The previous members; unchanged ones stay the same objects. */
  readonly previous: MemberSet;
  readonly signal: AbortSignal;
}

/**
 * Parses a large file in a worker thread, so that this thread's event loop is not blocked, and returns the members
 * sorted by id. Takes over the memory of `task.bytes`. Throws `InvalidTopologyError`, or the error of the thread. The
 * thread is always stopped at the end.
 */
export async function parseInWorker(
  task: ParseTask,
  options: ParseInWorkerOptions,
): Promise<readonly ClusterNode[]> {
  const worker = new Worker(workerUrl(), {
    name: "holdfast-topology-parser",
    workerData: task,
    transferList: [task.bytes.buffer],
    execArgv: [],
  });
  const replies = new EventChannel<ParseReply>(options.signal);
  worker.on("message", (reply: ParseReply) => replies.push(reply));
  worker.on("messageerror", (error) => replies.close({ error }));
  worker.on("error", (error) => replies.close({ error }));
  worker.on("exit", () => replies.close({ error: new Error("the parser's thread ended early") }));
  try {
    const nodes: ClusterNode[] = [];
    const find = options.previous.finder();
    for await (const reply of replies) {
      if (reply.type === "invalid") throw new InvalidTopologyError(reply.problems, reply.position);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written and checked by our own thread
      for (const node of JSON.parse(reply.members) as ClusterNodeInput[]) {
        const before = find(node.id);
        nodes.push(before !== undefined && isSameNode(before, node) ? before : createClusterNode(node));
      }
      if (reply.isLast) return nodes;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage("next");
    }
    throw toAbortError(options.signal);
  } finally {
    void worker.terminate();
  }
}

/** The file next to this one: TypeScript when run from source, JavaScript in the published package. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./parse-worker.ts", import.meta.url)
    : new URL("./parse-worker.js", import.meta.url);
}
