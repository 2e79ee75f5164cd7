import { join } from "node:path";
import { errorsInTurn } from "./saving-fault.ts";
import type { SavingSubject } from "./saving-subject.ts";

const FILE = "store/providers.jsonl";

/** A service: a save is a reload, and a load returns the set in force, which must be watched. */
export const serviceSubject: SavingSubject = {
  name: "ProvisioningService",
  file: FILE,
  // After a failed save the service saves the set in force again, which increments the generation.
  hasFixedBytes: false,
  usualFaults: errorsInTurn,
  async open(folder) {
    // Imported on demand, so that the processes of other subjects start faster.
    const { ServiceSaver } = await import("./service-saver.ts");
    return new ServiceSaver(folder, join(folder, FILE));
  },
};
