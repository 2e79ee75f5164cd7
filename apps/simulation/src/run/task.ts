import type { AnyScript, WorldKind } from "./any-script.ts";
import type { RunOutcome } from "./run-script.ts";

/** The task of a worker. With the name of a mutant, that bug is planted first. */
export type Task = { readonly mutant?: string | undefined } & (
  | {
      readonly kind: "seeds";
      readonly world: WorldKind;
      readonly first: number;
      readonly count: number;
      /** A counter shared by all workers: the number of started seeds. */
      readonly taken: SharedArrayBuffer;
      /** True: a worker stops at the first failing seed. */
      readonly stopsAtFailure: boolean;
    }
  | { readonly kind: "script"; readonly script: AnyScript }
  /** Looks for a short script that violates the given invariant. */
  | { readonly kind: "shrink"; readonly script: AnyScript; readonly invariant: string }
);

/**
 * Messages of a worker: outcomes without their trace as they are available, then the trace of a script, or the shrunk
 * script.
 */
export type TaskMessage =
  | { readonly kind: "outcome"; readonly outcome: RunOutcome }
  | { readonly kind: "shrunk"; readonly script: AnyScript };
