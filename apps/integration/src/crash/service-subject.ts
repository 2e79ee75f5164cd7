import { join } from "node:path";
import { errorsInTurn } from "./saving-fault.ts";
import type { SavingSubject } from "./saving-subject.ts";

const FILE = "store/providers.jsonl";

/** A whole service: what is saved is what a reload brings into force, and what is loaded is watched. */
export const serviceSubject: SavingSubject = {
  name: "ProvisioningService",
  file: FILE,
  // What failed is saved over with what is in force: the generation goes up.
  hasFixedBytes: false,
  usualFaults: errorsInTurn,
  async open(folder) {
    // Other subjects' processes start sooner without it.
    const { ServiceSaver } = await import("./service-saver.ts");
    return new ServiceSaver(folder, join(folder, FILE));
  },
};
