// A program: node entry-churn-program.ts FOLDER ID PORT. It registers, beats, drains and leaves in the folder, again and again, until it is
// killed. It prints one line when it begins.
import { createClusterNode, isProvisioningError, systemClock } from "@holdfast/core";
import { fileRegistrar } from "@holdfast/registrar-file";

const [folder = "", id = "", port = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const self = createClusterNode({ id, host: "127.0.0.1", port: Number(port), tags: ["x".repeat(500)] });

process.stdout.write("begun\n");
for (;;) {
  await using registration = fileRegistrar({ folder, ttlMs: 500 }).open(self, { clock: systemClock });
  try {
    await registration.register({ signal });
    for (let beat = 0; beat < 3; beat++) await registration.beat({ signal });
    await registration.drain({ signal });
    await registration.leave({ signal });
  } catch (error) {
    // Another process has the id at the moment.
    if (!isProvisioningError(error) || !/DUPLICATE|LOST/.test(error.code)) throw error;
  }
}
