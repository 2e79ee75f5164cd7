import type { SavingFault } from "./saving-fault.ts";
import type { TracedCall } from "./traced-call.ts";

/** The states that are saved, in this order. The fault is injected while `new` is saved over `old`. */
export type SavedState = "old" | "new" | "next" | "last";

/** A subject that one process has opened on a folder. */
export interface Saver extends AsyncDisposable {
  /** Loads and returns the state in force. Throws when that is not one of the saved states. */
  load(): Promise<SavedState>;
  /** Saves a state, after a load or into an empty folder. */
  save(state: SavedState): Promise<void>;
  /** The codes of warnings. */
  readonly warnings: readonly string[];
}

/** A component that keeps a state in a file, and promises that the old or the new state is left after a fault. */
export interface SavingSubject {
  readonly name: string;
  /** The path of the file in the folder. It must be the only file in its directory. */
  readonly file: string;
  /** Whether the same states saved in the same order always result in the same bytes. */
  readonly hasFixedBytes: boolean;
  /** The faults that the tests inject unless all faults are requested. */
  readonly usualFaults: (calls: readonly TracedCall[]) => readonly SavingFault[];
  open(folder: string): Promise<Saver>;
}

/** Returns the state with this content. */
export function stateOf<T>(
  contents: Readonly<Record<SavedState, T>>,
  isThis: (content: T) => boolean,
): SavedState {
  for (const state of ["old", "new", "next", "last"] as const) if (isThis(contents[state])) return state;
  throw new Error("the state in force is not one of the saved states");
}
