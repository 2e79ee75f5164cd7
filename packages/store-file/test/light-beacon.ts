// Runs as a separate process: node light-beacon.ts FILE. Lights a beacon at FILE, prints a line, and waits to be
// killed.
import { systemClock } from "@holdfast/core";
import { systemBeacons } from "../src/beacon.ts";

const beacon = await systemBeacons.light(process.argv[2] ?? "");
process.stdout.write(beacon === undefined ? "not lit\n" : "lit\n");
systemClock.schedule(600_000, () => undefined);
