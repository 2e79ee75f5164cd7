// A process of its own: node take-generations.ts FILE COUNT. It takes COUNT generations and writes a line for each that it was given.
import { FileGenerationStore } from "../index.ts";

const [path = "", count = ""] = process.argv.slice(2);
const store = new FileGenerationStore({ path });

for (let done = 0; done < Number(count); done++) {
  process.stdout.write(`${await store.next({ atLeast: 1 })}\n`);
}
