// Entry point of the worker thread that parses one file. It sends one batch of members for every request.
import { parentPort, workerData } from "node:worker_threads";
import type { ValidationProblem } from "@holdfast/core";
import { decodeText } from "./decode-text.ts";
import type { FileFormat } from "./file-params.ts";
import { InvalidTopologyError, type TextPosition } from "./invalid-topology-error.ts";
import { createMembersReader } from "./members-reader.ts";
import { parseJson } from "./parse-json.ts";

export interface ParseTask {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: FileFormat;
}

export type ParseReply =
  /**
   * A JSON array of nodes, sorted by id within the batch and across batches. It is sent as text, because `JSON.parse`
   * creates smaller objects than structured cloning, which shares no strings.
   */
  | { readonly type: "members"; readonly members: string; readonly isLast: boolean }
  | {
      readonly type: "invalid";
      readonly problems: readonly ValidationProblem[];
      readonly position: TextPosition | undefined;
    };

const BATCH = 1_000;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only parseInWorker starts this thread
const task = workerData as ParseTask;

function reply(message: ParseReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(message);
}

try {
  const parse = task.format === "json" ? parseJson : (await import("./parse-yaml.ts")).parseYaml;
  const members = createMembersReader()(parse(decodeText(task.bytes)));
  let next = 0;
  const send = (): void => {
    const batch = members.slice(next, (next += BATCH));
    reply({ type: "members", members: JSON.stringify(batch), isLast: next >= members.length });
  };
  // The port delivers all waiting messages in one turn of the event loop, so only one batch is sent at a time.
  parentPort?.on("message", send);
  send();
} catch (error) {
  if (!(error instanceof InvalidTopologyError)) throw error;
  const { problems, position } = error;
  reply({ type: "invalid", problems, position });
}
