// A program: node saving-child.ts SUBJECT FOLDER. It saves the new state over the old one and prints the result as one line. When it
// receives a line, it saves the next state and prints that result; when its input ends, it exits.
import { once } from "node:events";
import { isProvisioningError } from "@holdfast/core";
import { fixRandomBytes } from "./fixed-random-bytes.ts";
import { savingSubject } from "./saving-subjects.ts";
import type { SavedState } from "./saving-subject.ts";

export interface SavingFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The result of a load or save: the state, or the failure. */
export type Attempt = { readonly state: SavedState } | { readonly failure: SavingFailure };

/** The first line: the result of the save, and the state in force after it. */
export interface SavingReport {
  readonly saved: Attempt;
  readonly inForce: Attempt;
  readonly warnings: readonly string[];
}

async function attempt(run: () => Promise<SavedState>): Promise<Attempt> {
  try {
    return { state: await run() };
  } catch (error) {
    if (!isProvisioningError(error)) throw error;
    const { code, message, details } = error;
    return { failure: { code, message, details } };
  }
}

fixRandomBytes();
const [name, folder = ""] = process.argv.slice(2);
await using saver = await savingSubject(name).open(folder);

async function save(state: SavedState): Promise<SavedState> {
  await saver.load();
  await saver.save(state);
  return state;
}

const saved = await attempt(() => save("new"));
const inForce = "state" in saved ? saved : await attempt(() => saver.load());
const report: SavingReport = { saved, inForce, warnings: saver.warnings };
console.log(JSON.stringify(report));
const [line] = await Promise.race([once(process.stdin, "data"), once(process.stdin, "end")]);
if (line !== undefined) console.log(JSON.stringify(await attempt(() => save("next"))));
process.stdin.destroy();
