import type { Script } from "../script/script.ts";
import type { RunOutcome } from "./run-script.ts";

/** What a worker is started for. With the name of a mutant, that bug is planted first. */
export type Task = { readonly mutant?: string | undefined } & (
  | {
      readonly kind: "seeds";
      readonly first: number;
      readonly count: number;
      /** One number shared by all workers: how many seeds have been taken. */
      readonly taken: SharedArrayBuffer;
      /** One that fails is the last of its worker. */
      readonly stopsAtFailure: boolean;
    }
  | { readonly kind: "script"; readonly script: Script }
  /** Looks for a short script that breaks the invariant named. */
  | { readonly kind: "shrink"; readonly script: Script; readonly invariant: string }
);

/** What a worker says: outcomes without their lines as they come, then the lines of a script, or the shrunk one. */
export type TaskMessage =
  | { readonly kind: "outcome"; readonly outcome: RunOutcome }
  | { readonly kind: "shrunk"; readonly script: Script };
