// Runs as a separate process: node take-generations.ts FILE COUNT. Takes COUNT generations and prints each one.
import { FileGenerationStore } from "../src/index.ts";

const [path = "", count = ""] = process.argv.slice(2);
const store = new FileGenerationStore({ path });

for (let done = 0; done < Number(count); done++) {
  process.stdout.write(`${await store.next({ atLeast: 1 })}\n`);
}
