import type { Mutant } from "./mutant.ts";

const HUB = "packages/hub/src/watch-hub.ts";
const BLOCKS = "packages/hub/src/block-list.ts";

export const HUB_MUTANTS: readonly Mutant[] = [
  {
    name: "equal-hash-delivered",
    says: "content that equals the last is delivered again",
    file: HUB,
    find: "if (previous === undefined || !isEmpty(delta)) {",
    replace: 'if (snapshot.hash !== "") {',
  },
  {
    name: "told-before-set",
    says: "listeners hear of a snapshot before the state has it",
    file: HUB,
    find: "    this.#snapshot = snapshot;",
    replace: "    queueMicrotask(() => {\n      this.#snapshot = snapshot;\n    });",
  },
  {
    name: "seqno-gap",
    says: "now and then a number of the log is left out",
    file: HUB,
    find: "this.#seqNo++;",
    replace: "this.#seqNo += this.#seqNo % 30 === 29 ? 2 : 1;",
  },
  {
    name: "epoch-reused",
    says: "a restarted service begins at seqNo 1 of the same epoch",
    file: "packages/hub/src/epoch.ts",
    find: 'return `${generation.toString(36).padStart(9, "0")}-${tail}`;',
    replace: 'return generation.toString(36).padStart(9, "0").slice(0, 3) + tail.slice(5);',
  },
  {
    name: "generation-not-stored",
    says: "the wall clock alone orders the epochs",
    file: "packages/provisioning/src/provisioning-service.ts",
    find: "await untilAborted(this.#generation.next({ atLeast, signal }), signal)",
    replace: "Math.max(1, atLeast)",
  },
  {
    name: "generation-as-the-clock",
    says: "the store of generations gives the wall clock although it was set back",
    file: "packages/store-file/src/file-generation-store.ts",
    find: "Math.max(current.generation + 1, atLeast)",
    replace: "Math.max(1, atLeast)",
  },
  {
    name: "empty-unnoticed",
    says: "a topology without members is ready",
    file: "packages/hub/src/to-status.ts",
    find: "if (members.size === 0)",
    replace: "if (members.size < 0)",
  },
  {
    name: "termination-not-kept",
    says: "the end of a stream is told and then forgotten",
    file: HUB,
    find: 'if (event.kind === "stream_terminated") this.#terminations.add(event);',
    replace: "",
  },
  {
    name: "block-lifted-by-bad-refresh",
    says: "held or late content lifts blocks as a good refresh does",
    file: HUB,
    find: "if (isGood) this.#blocks.refresh(incoming);",
    replace: "this.#blocks.refresh(incoming);",
  },
  {
    name: "block-lifted-by-any-refresh",
    says: "the next good refresh lifts every block",
    file: BLOCKS,
    find: "if (!this.#restoring.has(id) && members.has(id)) continue;",
    replace: "if (members.size < 0) continue;",
  },
  {
    name: "restore-lifts-at-once",
    says: "a restored node is let in without waiting for a refresh",
    file: HUB,
    find: 'return this.#lifecycle === "running" && this.#blocks.restore(nodeId);',
    replace:
      'const isTaken = this.#lifecycle === "running" && this.#blocks.restore(nodeId);\n    this.#refresh();\n    return isTaken;',
  },
];
