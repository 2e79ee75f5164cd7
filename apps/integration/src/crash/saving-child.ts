// A process of its own: node saving-child.ts SUBJECT FOLDER. It saves a new state over the old one and writes a line that
// says how that went. Told to go on by a line, it saves the next one and writes how that went; else it ends.
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

/** How one thing went: the state in force, or why not. */
export type Attempt = { readonly state: SavedState } | { readonly failure: SavingFailure };

/** The line after the first save: how it went, and what is in force after a failure. */
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
const [word] = await Promise.race([once(process.stdin, "data"), once(process.stdin, "end")]);
if (word !== undefined) console.log(JSON.stringify(await attempt(() => save("next"))));
process.stdin.destroy();
