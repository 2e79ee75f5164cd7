import type { SavingFault } from "./saving-fault.ts";
import type { TracedCall } from "./traced-call.ts";

/** The states a subject is brought into, in this order; a fault comes while `new` is saved over `old`. */
export type SavedState = "old" | "new" | "next" | "last";

/** A subject opened on a folder, as one process has it. */
export interface Saver extends AsyncDisposable {
  /** The state in force. Throws when what is in force is none of them, whole. */
  load(): Promise<SavedState>;
  /** Loads are free to come before; the first save into an empty folder needs one. */
  save(state: SavedState): Promise<void>;
  /** What the save that failed was followed by, if anything. */
  readonly warnings: readonly string[];
}

/** Something that keeps a state in a file and promises that faults leave the old or the new one. */
export interface SavingSubject {
  readonly name: string;
  /** The file, relative to the folder; alone in a folder of its own. */
  readonly file: string;
  /** Whether the same states, saved in the same order, are the same bytes whatever went wrong before. */
  readonly hasFixedBytes: boolean;
  /** Which faults it is put under in every run of the tests. */
  readonly usualFaults: (calls: readonly TracedCall[]) => readonly SavingFault[];
  open(folder: string): Promise<Saver>;
}

/** Which of the contents this is. */
export function stateOf<T>(
  contents: Readonly<Record<SavedState, T>>,
  isThis: (content: T) => boolean,
): SavedState {
  for (const state of ["old", "new", "next", "last"] as const) if (isThis(contents[state])) return state;
  throw new Error("what is in force is none of the sets that were saved");
}
