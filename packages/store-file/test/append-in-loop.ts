// Runs as a separate process: node append-in-loop.ts FILE PREFIX COUNT. Appends COUNT descriptors to the stored set,
// one save each, and prints the id of each acknowledged save.
import { isProvisioningError } from "@holdfast/core";
import { FileProviderStore } from "../src/index.ts";
import { createDescriptor } from "./descriptors.ts";

const [path = "", prefix = "", count = ""] = process.argv.slice(2);
const store = new FileProviderStore({ path });

for (let done = 0; done < Number(count);) {
  try {
    const id = `${prefix}-${done}`;
    await store.save([...(await store.load()), createDescriptor(id)]);
    process.stdout.write(`${id}\n`);
    done++;
  } catch (error) {
    if (!isProvisioningError(error) || error.code !== "STORE_CONFLICT") throw error;
  }
}
