import type { Mutant } from "./mutant.ts";

const HUB = "packages/hub/src/watch-hub.ts";
const BLOCKS = "packages/hub/src/block-list.ts";

export const HUB_MUTANTS: readonly Mutant[] = [
  {
    name: "equal-hash-delivered",
    bug: "equal content is delivered again",
    file: HUB,
    find: "if (previous === undefined || !isEmpty(delta)) {",
    replace: 'if (snapshot.hash !== "") {',
  },
  {
    name: "event-before-state",
    bug: "a snapshot is emitted before the state has it",
    file: HUB,
    find: "    this.#snapshot = snapshot;",
    replace: "    queueMicrotask(() => {\n      this.#snapshot = snapshot;\n    });",
  },
  {
    name: "seqno-gap",
    bug: "some numbers of the log are left out",
    file: HUB,
    find: "this.#seqNo++;",
    replace: "this.#seqNo += this.#seqNo % 30 === 29 ? 2 : 1;",
  },
  {
    name: "epoch-reused",
    bug: "a restarted service begins at seqNo 1 of the same epoch",
    file: "packages/hub/src/epoch.ts",
    find: 'return `${generation.toString(36).padStart(9, "0")}-${tail}`;',
    replace: 'return generation.toString(36).padStart(9, "0").slice(0, 3) + tail.slice(5);',
  },
  {
    name: "generation-not-stored",
    bug: "the wall clock alone orders the epochs",
    file: "packages/provisioning/src/provisioning-service.ts",
    find: "await untilAborted(this.#generation.next({ atLeast, signal }), signal)",
    replace: "Math.max(1, atLeast)",
  },
  {
    name: "generation-as-the-clock",
    bug: "the generation store returns the wall clock although it was set back",
    file: "packages/store-file/src/file-generation-store.ts",
    find: "Math.max(current.generation + 1, atLeast)",
    replace: "Math.max(1, atLeast)",
  },
  {
    name: "empty-unnoticed",
    bug: "a topology without members is ready",
    file: "packages/hub/src/to-status.ts",
    find: "if (members.size === 0)",
    replace: "if (members.size < 0)",
  },
  {
    name: "termination-not-kept",
    bug: "the end of a stream is emitted but not kept in the log",
    file: HUB,
    find: 'if (event.kind === "stream_terminated") this.#terminations.add(event);',
    replace: "",
  },
  {
    name: "block-lifted-by-bad-refresh",
    bug: "held or late content lifts blocks as a good refresh does",
    file: HUB,
    find: "if (isGood) this.#blocks.refresh(incoming);",
    replace: "this.#blocks.refresh(incoming);",
  },
  {
    name: "block-lifted-by-any-refresh",
    bug: "the next good refresh lifts every block",
    file: BLOCKS,
    find: "if (!this.#restoring.has(id) && members.has(id)) continue;",
    replace: "if (members.size < 0) continue;",
  },
  {
    name: "restore-lifts-at-once",
    bug: "a restored node is unblocked without waiting for a refresh",
    file: HUB,
    find: 'return this.#lifecycle === "running" && this.#blocks.restore(nodeId);',
    replace:
      'const isTaken = this.#lifecycle === "running" && this.#blocks.restore(nodeId);\n    this.#refresh();\n    return isTaken;',
  },
];
