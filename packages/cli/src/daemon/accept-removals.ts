import type { Directory } from "holdfast";
import type { DaemonOutput } from "./daemon-output.ts";

/** Accepts the removals that the mass-removal guards of all topologies hold, and prints which topologies held any. */
export function acceptRemovals(directory: Directory, output: DaemonOutput): void {
  const accepted = directory.names().filter((name) => directory.find(name)?.acceptRemovals() === true);
  for (const topology of accepted) {
    const text = "the held removals were accepted";
    output.note({ kind: "removals_accepted", topology, facts: { isAccepted: true }, text });
  }
  if (accepted.length > 0) return;
  output.note({ kind: "removals_accepted", facts: { isAccepted: false }, text: "no removals are held" });
}
