import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stateOf, type SavedState, type SavingSubject } from "./saving-subject.ts";

const FILE = "store/state.txt";

const TEXTS: Readonly<Record<SavedState, string>> = {
  old: "old\n",
  new: "new\n",
  next: "next\n",
  last: "last\n",
};

/** A deliberately faulty subject: it overwrites its file in place, so a kill leaves neither the old nor the new state. */
export const inPlaceSubject: SavingSubject = {
  name: "a file written in place",
  file: FILE,
  hasFixedBytes: true,
  usualFaults: () => [],
  async open(folder) {
    const file = join(folder, FILE);
    return {
      async load() {
        const text = await readFile(file, "utf8");
        return stateOf(TEXTS, (each) => each === text);
      },
      async save(state) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, TEXTS[state]);
      },
      warnings: [],
      async [Symbol.asyncDispose]() {},
    };
  },
};
